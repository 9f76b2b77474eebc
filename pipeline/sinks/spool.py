"""Keeps a unit's artifacts on local disk until all are there, then hands them out in the unit's order."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.records import Artifact, Record, Unit

# A unit smaller than this never touches the disk.
MEMORY_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where an artifact lies in the spool."""

    name: str
    role: str
    offset: int
    size: int


class Spool:
    """Artifacts of one unit; `put` may be called from any thread, in any order."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._keys = {record.key for record in unit.records}
        self._kept: dict[str, tuple[_Kept, ...]] = {}
        self._end = 0
        self._lock = threading.Lock()
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - closed by close()

    def put(self, record: Record, artifacts: Sequence[Artifact]) -> None:
        """Keep a record's artifacts, in place of those kept for it before.

        Raises:
            ValueError: the record is not one of the unit's.
        """
        if record.key not in self._keys:
            raise ValueError(f"{record.key!r} is no record of unit {self._unit.unit_id}")
        with self._lock:
            kept = []
            self._file.seek(self._end)
            for artifact in artifacts:
                self._file.write(artifact.data)
                kept.append(_Kept(artifact.name, artifact.role, self._end, len(artifact.data)))
                self._end += len(artifact.data)
            self._kept[record.key] = tuple(kept)

    def __iter__(self) -> Iterator[tuple[Record, tuple[Artifact, ...]]]:
        """Records that have artifacts, in the unit's order; one record's bytes are in memory at a time."""
        for record in self._unit.records:
            if kept := self._kept.get(record.key):
                yield record, tuple(self._load(one) for one in kept)

    def ordered(self, key: Callable[[str], str]) -> Iterator[tuple[Artifact, ...]]:
        """The artifacts of each record that has some, by what `key` makes of the name of its first one.

        The order follows from the names, so it is the same however the unit's records were ordered.
        """
        for kept in sorted(filter(None, self._kept.values()), key=lambda kept: key(kept[0].name)):
            yield tuple(self._load(one) for one in kept)

    def __len__(self) -> int:
        """Number of records that have artifacts."""
        return sum(bool(kept) for kept in self._kept.values())

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def _load(self, kept: _Kept) -> Artifact:
        with self._lock:
            self._file.seek(kept.offset)
            return Artifact(kept.name, kept.role, self._file.read(kept.size))
