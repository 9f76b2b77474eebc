"""A step that units pass, and the few words in which a job kind says what its steps are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pyarrow as pa

from pipeline.records import Artifact, Item, Record


@runtime_checkable
class Payload(Protocol):
    """What stages hang on an item, so far as the flow needs to know it."""

    @property
    def held_bytes(self) -> int:
        """Memory it holds now."""
        ...

    def release(self) -> None:
        """Drop whatever can be made again from the source: file bytes, decoded pixels."""
        ...


class Progress(Protocol):
    """Where a stage keeps how far it has come with something, until its unit is committed."""

    def load(self, key: str) -> bytes | None:
        """What was saved last under a key; None where nothing was. Raises StorageError."""
        ...

    def save(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StorageError."""
        ...


class NoProgress:
    """Keeps nothing."""

    def load(self, key: str) -> bytes | None:
        """None."""
        return None

    def save(self, key: str, data: bytes) -> None:
        """Nothing is done."""


@dataclass(frozen=True)
class UnitContext:
    """What a stage may ask of the unit it works in.

    Attributes:
        read: a record's bytes.
        put: hand over a record's finished artifacts.
        keep_sample: store a before/after sample in the run's folder: name and bytes.
        count: add to one of the unit's counts, for what belongs to no single record.
        waiting: a block in which the record of this key waits for storage otherwise than by the two first.
        progress: where a stage that takes long keeps how far it has come, for an attempt after this one.
    """

    read: Callable[[Record], bytes]
    put: Callable[[Record, Sequence[Artifact]], None]
    keep_sample: Callable[[str, bytes], None]
    count: Callable[[str, int], None] = field(default=lambda name, times: None)
    waiting: Callable[[str], AbstractContextManager[None]] = field(default=lambda key: nullcontext())
    progress: Progress = field(default_factory=NoProgress)


class ItemStage(Protocol):
    """A stage that looks at one record at a time; runs in threads."""

    name: str

    def setup(self) -> None:
        """Load what it needs; called once in each worker process. An exception ends the run."""
        ...

    def process(self, item: Item, context: UnitContext) -> None:
        """Advance one item. An exception sends the record to quarantine; StorageError and WorkerError end the run."""
        ...


class BatchStage(Protocol):
    """A stage that looks at many records at once; when it fails, it is called again record by record."""

    name: str

    def setup(self) -> None:
        """Load what it needs; called once in each worker process. An exception ends the run."""
        ...

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """Advance all items, all of them alive."""
        ...


@dataclass(frozen=True)
class Resources:
    """What one worker of a segment needs.

    Attributes:
        cpus: logical CPUs.
        gpus: GPUs, fractions allowed.
        memory: bytes of heap, 0 when it does not matter.
        gpus_if_any: whether a worker does without its GPU on a cluster that has none.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 0
    gpus_if_any: bool = False


@dataclass(frozen=True)
class Segment:
    """Stages that always run in one process.

    Attributes:
        name: shown in progress and in Ray's own views.
        stages: in order.
        needs: per worker.
    """

    name: str
    stages: tuple[ItemStage | BatchStage, ...]
    needs: Resources = field(default_factory=Resources)


@dataclass(frozen=True)
class Workflow:
    """What a job kind does to its records: before, at and after the step that wants its own kind of machine.

    Attributes:
        front: from bytes to what is small enough to travel.
        middle: the heavy step.
        back: from what travelled to finished artifacts.
        count: what to count of a finished item, summed into the commit.
        rows: what a finished item adds to the run's tables, by table name.
        tables: schema of each of those tables.
        together: whether what its segments hand on is too large to travel, so that one worker runs them all.
    """

    front: Segment
    middle: Segment
    back: Segment
    count: Callable[[Item], dict[str, int]]
    rows: Callable[[Item], dict[str, list[dict[str, object]]]]
    tables: Mapping[str, pa.Schema]
    together: bool = False

    @property
    def segments(self) -> tuple[Segment, Segment, Segment]:
        """All three, in order."""
        return (self.front, self.middle, self.back)
