"""The source's tree again: each artifact is one object, put whole at a name that follows from the key."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.records import Artifact, Output, Record, Unit
from pipeline.sinks.writing import writing_errors
from pipeline.storage import Folder


@dataclass(frozen=True)
class MirrorSink:
    """Writes artifacts at their own names below a folder."""

    folder: Folder

    def open(self, unit: Unit, attempt: int) -> MirrorWriter:
        """A writer; two attempts at a unit put the same bytes at the same names, which is harmless."""
        return MirrorWriter(self.folder)


@dataclass
class MirrorWriter:
    """Puts each artifact at once, and remembers what it put."""

    folder: Folder
    _outputs: dict[str, Output] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, record: Record, artifacts: Sequence[Artifact]) -> None:
        """Put each artifact whole: a reader sees the former object or the new one, never a part.

        Records go first. A record names its image's hash: by it, what an attempt that was cut off left of a record that
        ends in quarantine is known for its own, and `facejobs gc` can take it away.
        """
        for artifact in sorted(artifacts, key=lambda artifact: artifact.role != "record"):
            with writing_errors(artifact.name, self.folder.uri):
                self.folder.write(artifact.name, artifact.data)
            digest = hashlib.sha256(artifact.data).hexdigest()
            output = Output(artifact.name, len(artifact.data), digest, artifact.role, record.key)
            with self._lock:
                self._outputs[artifact.name] = output

    def close(self) -> tuple[Output, ...]:
        """Name what was put; there is nothing left to write."""
        return tuple(self._outputs[name] for name in sorted(self._outputs))

    def abort(self) -> None:
        """Remove nothing: another attempt's commit may name the same objects, and their bytes are the same."""
