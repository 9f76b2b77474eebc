"""A workflow whose stages sleep: what a worker does around the operators, and nothing of what they do."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.errors import WorkerError
from pipeline.records import Artifact, Item
from pipeline.stage import Resources, Segment, UnitContext, Workflow
from pipeline.storage import Folder

NAPS = "naps"
"""The run's table of all naps; joined when the run is finished, as tables of a job are."""

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("segment", pa.string()),
        ("worker", pa.string()),
        ("begin", pa.float64()),
        ("end", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
BATCH_RECORDS = 8
"""Records whose faces are slept over at once in the middle."""

RECORD_BYTES = 1_500
"""Of the JSON record beside an output."""

GATE_SECONDS = 600.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Sleeps:
    """Seconds that each segment sleeps for a record."""

    front: float
    middle: float
    back: float

    @property
    def total(self) -> float:
        """Of a record in a fused worker."""
        return self.front + self.middle + self.back


@dataclass(frozen=True)
class Gate:
    """Where workers wait in their set-up until all of them are there, so that start-up stands apart.

    Attributes:
        folder: seen by driver and workers.
    """

    folder: Folder

    def wait(self) -> None:
        """Say that this process is there, and wait until the gate is open. Raises WorkerError when it stays shut."""
        self.folder.write(f"there/{_here()}", b"")
        until = time.monotonic() + GATE_SECONDS
        while not self.folder.exists("open"):
            if time.monotonic() > until:
                raise WorkerError(
                    f"{self.folder.uri}: not all workers were set up within {GATE_SECONDS:g} s; the cluster may have "
                    "too few CPUs or GPUs for them (fused: one CPU a GPU, staged: three, and one more)"
                )
            time.sleep(LOOK_SECONDS)

    def there(self) -> int:
        """How many processes wait or have waited."""
        return len(self.folder.names("there"))

    def open(self) -> None:
        """Let them begin."""
        self.folder.write("open", b"")


@dataclass
class Nap:
    """A record's share of a sleep, in seconds since 1970; `seconds` is how long it was to be."""

    segment: str
    worker: str
    begin: float
    end: float
    seconds: float


@dataclass
class Work:
    """What travels with a record: its naps so far, and bytes in place of crops. A `pipeline.stage.Payload`."""

    naps: list[Nap]
    crops: bytes = field(default=b"", repr=False)

    @property
    def held_bytes(self) -> int:
        """Bytes in place of crops."""
        return len(self.crops)

    def release(self) -> None:
        """Nothing: crops travel."""


@dataclass
class Front:
    """Stands for probing, decoding, detecting and cutting: reads the record for real, and sleeps."""

    seconds: float
    crop_bytes: int
    gate: Gate | None
    name: str = "examine"

    def setup(self) -> None:
        """Wait at the gate."""
        if self.gate is not None:
            self.gate.wait()

    def process(self, item: Item, context: UnitContext) -> None:
        """A payload with one nap and new bytes."""
        context.read(item.record)
        (nap,) = _sleep("front", self.seconds, 1)
        item.payload = Work([nap], os.urandom(1) * self.crop_bytes)


@dataclass
class Middle:
    """Stands for the restorer: sleeps over batches, and puts other bytes in place of the crops."""

    seconds: float
    gate: Gate | None
    name: str = "restore"

    def setup(self) -> None:
        """Wait at the gate."""
        if self.gate is not None:
            self.gate.wait()

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """One nap more for each record."""
        for start in range(0, len(items), BATCH_RECORDS):
            batch = items[start : start + BATCH_RECORDS]
            for item, nap in zip(batch, _sleep("middle", self.seconds, len(batch)), strict=True):
                item.payload.naps.append(nap)
                item.payload.crops = os.urandom(1) * len(item.payload.crops)


@dataclass
class Back:
    """Stands for scoring, pasting and encoding: sleeps, and puts an output and its record for real."""

    seconds: float
    output_bytes: int
    gate: Gate | None
    name: str = "compose"

    def setup(self) -> None:
        """Wait at the gate."""
        if self.gate is not None:
            self.gate.wait()

    def process(self, item: Item, context: UnitContext) -> None:
        """The last nap, and two artifacts."""
        item.payload.naps += _sleep("back", self.seconds, 1)
        key = item.record.key
        context.put(
            item.record,
            [Artifact(key, "image", bytes(self.output_bytes)), Artifact(f"{key}.json", "record", bytes(RECORD_BYTES))],
        )


@dataclass(frozen=True)
class SleepWorkflow:
    """Builds the workflow in whichever process calls it; travels there by pickle.

    Attributes:
        sleeps: of a record.
        crop_bytes: of all crops of a record, each way.
        output_bytes: of a record's output.
        gpus: of a worker that runs the middle.
        gate: where workers wait for each other; None lets each begin when it is set up.
    """

    sleeps: Sleeps
    crop_bytes: int
    output_bytes: int
    gpus: float = 1.0
    gate: Gate | None = None

    def __call__(self) -> Workflow:
        """The stages, not set up yet."""
        return Workflow(
            front=Segment("front", (Front(self.sleeps.front, self.crop_bytes, self.gate),)),
            middle=Segment("middle", (Middle(self.sleeps.middle, self.gate),), Resources(gpus=self.gpus)),
            back=Segment("back", (Back(self.sleeps.back, self.output_bytes, self.gate),)),
            count=_count,
            rows=_rows,
            tables={NAPS: SCHEMA},
        )


def _sleep(segment: str, seconds: float, records: int) -> list[Nap]:
    """Sleep once for so many records; each gets an equal share of the time it took."""
    begin = time.time()
    time.sleep(seconds * records)
    each = (time.time() - begin) / records
    return [Nap(segment, _here(), begin + n * each, begin + (n + 1) * each, seconds) for n in range(records)]


def _here() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def _count(item: Item) -> dict[str, int]:
    return {"naps": len(item.payload.naps)}


def _rows(item: Item) -> dict[str, list[dict[str, Any]]]:
    return {NAPS: [{"key": item.record.key, **asdict(nap)} for nap in item.payload.naps]}
