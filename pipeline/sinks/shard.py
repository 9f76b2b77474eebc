"""One object a unit: what the tar and the Parquet layout and containers have in common."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.records import Artifact, Output, Record, Unit
from pipeline.sinks.contract import Container, shard_name
from pipeline.sinks.spool import Spool
from pipeline.sinks.writing import sha256_of, writing_errors
from pipeline.storage import Folder

SCRATCH = "the temporary folder (TMPDIR)"

Assemble = Callable[[Spool, Path], None]


@dataclass(frozen=True)
class ShardSink:
    """Writes each unit as one object.

    Attributes:
        folder: the output root.
        suffix: of the object's name, with the dot.
        assemble: writes a spool's records, in their order, as a local file.
    """

    folder: Folder
    suffix: str
    assemble: Assemble

    def open(self, unit: Unit, attempt: int) -> ShardWriter:
        """A writer whose object carries the attempt in its name."""
        return ShardWriter(self.folder, shard_name(unit, attempt, self.suffix), self.assemble, unit)


@dataclass(frozen=True)
class ContainerSink:
    """Writes each unit as one object, which a job kind names and makes.

    Attributes:
        folder: the output root.
        container: of the job kind.
    """

    folder: Folder
    container: Container

    def open(self, unit: Unit, attempt: int) -> ShardWriter:
        """A writer; two attempts at a unit put the same bytes at the same name, which is harmless."""
        name, container = self.container.name(unit), self.container
        return ShardWriter(self.folder, name, container.write, unit, role=container.role, shared=True)


class ShardWriter:
    """Spools the unit's artifacts, and writes the shard when all are there.

    Args:
        folder: the output root.
        name: of the shard, relative to it.
        assemble: writes it as a local file.
        unit: whose shard it is.
        role: of the output.
        shared: whether other attempts at the unit write the same object.
    """

    def __init__(
        self, folder: Folder, name: str, assemble: Assemble, unit: Unit, *, role: str = "shard", shared: bool = False
    ) -> None:
        self._folder = folder
        self._name = name
        self._assemble = assemble
        self._spool = Spool(unit)
        self._role = role
        self._shared = shared
        self._written = False

    def put(self, record: Record, artifacts: Sequence[Artifact]) -> None:
        """Keep a record's artifacts for the shard."""
        with writing_errors(record.key, SCRATCH):
            self._spool.put(record, artifacts)

    def close(self) -> tuple[Output, ...]:
        """Write and upload the shard; a unit without outputs has none."""
        if not len(self._spool):
            self._spool.close()
            return ()
        with tempfile.TemporaryDirectory(prefix="facejobs-") as scratch:
            path = Path(scratch) / PurePosixPath(self._name).name
            with writing_errors(self._name, SCRATCH):
                self._assemble(self._spool, path)
            self._spool.close()
            size, digest = path.stat().st_size, sha256_of(path)
            self._written = True
            with writing_errors(self._name, self._folder.uri):
                self._folder.upload(self._name, path)
        return (Output(self._name, size, digest, self._role),)

    def abort(self) -> None:
        """Drop the spool, and the shard if it may have been written and is no other attempt's as well."""
        self._spool.close()
        if self._written and not self._shared:
            with writing_errors(self._name, self._folder.uri):
                self._folder.delete(self._name)
            self._written = False
