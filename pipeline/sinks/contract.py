"""What every sink offers: a writer a unit, which puts artifacts and at the end names what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pipeline.records import Artifact, Output, Record, Unit
from pipeline.sinks.spool import Spool
from pipeline.storage import Folder

Layout = Literal["mirror", "webdataset", "parquet"]


class Container(Protocol):
    """One object a unit, made by a job kind under a name of its own; travels to workers by pickle.

    Its name and its bytes follow from the unit and its artifacts alone, whatever the attempt, the worker or the time:
    attempts at a unit write the same object, so none of them ever takes it away.
    """

    @property
    def role(self) -> str:
        """Of its outputs: `shard`, or `part` for what only serves to make something else when the run ends."""
        ...

    def name(self, unit: Unit) -> str:
        """The object's name, relative to the outputs; no two units of a run have the same."""
        ...

    def write(self, spool: Spool, path: Path) -> None:
        """Write a unit's artifacts as a local file.

        Args:
            spool: at least one record's artifacts, in the unit's order.
            path: in a folder of its own.
        """
        ...


@dataclass(frozen=True)
class SinkSpec:
    """Where outputs go.

    Attributes:
        layout: `mirror` (each artifact an object at its name), `webdataset` (a tar a unit), `parquet` (a file a unit).
        folder: the output root.
        container: decides instead of the layout what a unit becomes.
    """

    layout: Layout
    folder: Folder
    container: Container | None = None


class UnitWriter(Protocol):
    """Writes the outputs of one unit in one attempt."""

    def put(self, record: Record, artifacts: Sequence[Artifact]) -> None:
        """Take a record's artifacts; from any thread, in any order. A second call for a record replaces the first.

        Raises:
            RecordError: this record's output cannot be written under its name.
            StorageError: storage refused or did not answer.
        """

    def close(self) -> tuple[Output, ...]:
        """Write what is not written yet and name every object, in the order of their paths.

        Raises:
            StorageError: storage refused or did not answer.
        """

    def abort(self) -> None:
        """Remove what only this attempt can have written; harmless before and after `close`."""


class Sink(Protocol):
    """Opens writers; one in a worker serves all its units."""

    def open(self, unit: Unit, attempt: int) -> UnitWriter:
        """A writer for an attempt, numbered from the ledger, at a unit."""


def shard_name(unit: Unit, attempt: int, suffix: str) -> str:
    """Name of a unit's shard: it holds unit and attempt, so that no two attempts ever write one object."""
    return f"shard-{unit.index:06d}-{unit.unit_id[:8]}-a{attempt}{suffix}"
