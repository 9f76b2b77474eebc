"""Trying records in memory: what each takes in each segment, and what comes out of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from jobs.estimate.ranges import Group
from jobs.estimate.strata import Stratum
from pipeline.flow import ITEM_BYTES, WAVE_BYTES, Flow, Stopwatch
from pipeline.records import Artifact, Item, Record
from pipeline.stage import Payload, Segment, UnitContext, Workflow
from pipeline.storage import Folder

WAITING = frozenset({"read", "write"})
"""Stages that lie inside of others: their seconds are part of those of the stage that reads or writes."""
REMOTE_PUT_SECONDS = 0.05
"""What a put to an object store is taken to last: a plan writes nothing there, so it cannot be measured."""


@dataclass(frozen=True)
class Puts:
    """How what is made gets to its place.

    Attributes:
        output: of the job.
        together: a unit's artifacts become one object, so that a record alone costs no put.
    """

    output: Folder
    together: bool

    @property
    def assumed_seconds(self) -> float:
        """Of each artifact's put, where it is not measured."""
        return 0.0 if self.together or is_local(self.output) else REMOTE_PUT_SECONDS

    @contextmanager
    def opened(self) -> Iterator[Callable[[Artifact], None]]:
        """What takes an artifact as a put to a disk would; of other storage it takes nothing."""
        if self.together or not is_local(self.output):
            yield lambda artifact: None
            return
        with tempfile.TemporaryDirectory(prefix="facejobs-plan-") as name:
            folder = Folder(name)
            yield lambda artifact: folder.write("tried", artifact.data)


@dataclass
class Tried:
    """One record that was tried.

    Attributes:
        size: bytes of the record; 0 where only reading would tell.
        seconds: of the front, the middle and the back.
        stages: seconds by stage.
        weight: what the middle works on, such as faces.
        outputs: bytes by the artifacts' role.
        puts: artifacts.
        code: why it would go to quarantine; empty when it would not.
    """

    size: int
    seconds: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    stages: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0
    outputs: dict[str, int] = field(default_factory=dict)
    puts: int = 0
    code: str = ""


@dataclass(frozen=True)
class Trial:
    """What was found by trying.

    Attributes:
        strata: of all records.
        tried: for each stratum, its records that were tried.
        items: these records' items as the last stage has left them, in the same order, without nesting.
        warm_seconds: what the first record of a process takes more than it does again.
        setup_seconds: what setting up the stages took.
        cpu_share: part of the time, waits for storage left out, in which the process had a CPU, 0 to 1; less than 1
            where the machine does other work.
    """

    strata: Sequence[Stratum]
    tried: Sequence[Sequence[Tried]]
    items: Sequence[Item]
    warm_seconds: float
    setup_seconds: float = 0.0
    cpu_share: float = 1.0

    @property
    def flat(self) -> list[Tried]:
        """All records that were tried."""
        return [one for each in self.tried for one in each]

    @property
    def records(self) -> int:
        """Records that are not known to fail."""
        return sum(stratum.records for stratum in self.strata)

    def groups(self, value: Callable[[Tried], float]) -> list[Group]:
        """The strata with a value of each tried record."""
        return [
            Group(
                stratum.records,
                float(stratum.bytes),
                np.array([one.size for one in tried], np.float64),
                np.array([value(one) for one in tried], np.float64),
            )
            for stratum, tried in zip(self.strata, self.tried, strict=True)
        ]

    def weighted(self, value: Callable[[Tried], float]) -> float:
        """A sum over the tried records, each counting for those that it stands for, as a share of all records."""
        means = (
            stratum.records * sum(map(value, tried)) / len(tried)
            for stratum, tried in zip(self.strata, self.tried, strict=True)
            if tried
        )
        held = sum(stratum.records for stratum, tried in zip(self.strata, self.tried, strict=True) if tried)
        return sum(means) / held if held else 0.0


def try_records(
    workflow: Workflow,
    strata: Sequence[Stratum],
    read: Callable[[Record], bytes],
    puts: Puts,
    weigh: Callable[[Item], float] = lambda item: 0.0,
    *,
    apart: bool = False,
) -> Trial:
    """Carry the chosen records through a workflow's segments, as one worker would, and put nothing into the output.

    One record is carried through twice, since what a process does for the first time takes longer; only the second
    counts. Artifacts are written to a temporary folder where the output is on a disk, which takes time too.

    Args:
        workflow: not set up yet.
        strata: with the records to try, at least one.
        read: a record's bytes.
        puts: how a run would put what it makes.
        weigh: how much of what the middle works on, such as faces, an item has after the front.
        apart: the segments are in workers of their own, so that pixels are made again in the back.

    Raises:
        StorageError, WorkerError: as in a worker.
    """
    with threadpool_limits(limits=1), puts.opened() as write:
        begun = time.perf_counter()
        for segment in workflow.segments:
            for stage in segment.stages:
                stage.setup()
        runner = _Runner(workflow, read, write, weigh, 0 if apart else ITEM_BYTES, puts.assumed_seconds)
        first = max(strata, key=lambda stratum: stratum.records * bool(stratum.chosen)).chosen[0]
        start = time.perf_counter()
        runner.carry([first])
        again = time.perf_counter()
        runner.carry([first])
        done, cpu = time.perf_counter(), time.process_time()
        items, tried = runner.carry([record for stratum in strata for record in stratum.chosen])
        spent, cpu = time.perf_counter() - done, time.process_time() - cpu
    waited = sum(one.stages.get(name, 0.0) for one in tried for name in WAITING)
    rest = iter(tried)
    return Trial(
        strata,
        [[next(rest) for _ in stratum.chosen] for stratum in strata],
        items,
        max(0.0, 2 * again - start - done),
        start - begun,
        max(0.0, min(1.0, cpu / max(spent - waited, cpu, 1e-9))),
    )


class _Runner:
    """Carries records through the segments of a workflow that is set up."""

    def __init__(
        self,
        workflow: Workflow,
        read: Callable[[Record], bytes],
        write: Callable[[Artifact], None],
        weigh: Callable[[Item], float],
        keep_bytes: int,
        put_seconds: float,
    ) -> None:
        self._workflow, self._read, self._write, self._weigh = workflow, read, write, weigh
        self._put_seconds = put_seconds
        self._flow = Flow(1, keep_bytes)

    def carry(self, records: Sequence[Record]) -> tuple[list[Item], list[Tried]]:
        """All of them, in waves as a worker does; the middle takes a wave together, in batches."""
        pairs = [(Item(record), Tried(max(record.size, 0))) for record in records]
        wave: list[tuple[Item, Tried]] = []
        held = 0
        for item, tried in pairs:
            self._one(0, item, tried)
            tried.weight = self._weigh(item) if item.failure is None else 0.0
            wave.append((item, tried))
            held += item.payload.held_bytes if isinstance(item.payload, Payload) else 0
            if held > WAVE_BYTES:
                self._rest(wave)
                wave, held = [], 0
        self._rest(wave)
        return [item for item, _ in pairs], [tried for _, tried in pairs]

    def _rest(self, wave: Sequence[tuple[Item, Tried]]) -> None:
        """Middle and back of a wave. What the middle takes is divided by what each record gives it to do."""
        watch = Stopwatch()
        context = UnitContext(self._read, lambda record, artifacts: None, lambda name, data: None)
        self._flow.carry(self._workflow.middle, [item for item, _ in wave], context, watch)
        names = [stage.name for stage in self._workflow.middle.stages]
        whole = sum(tried.weight for _, tried in wave)
        for item, tried in wave:
            share = tried.weight / whole if whole else 1 / len(wave)
            for name in names:
                tried.stages[name] = watch.seconds[name] * share
            tried.seconds[1] = sum(tried.stages[name] for name in names)
            self._one(2, item, tried)
            tried.code = item.failure.code if item.failure is not None else ""

    def _one(self, index: int, item: Item, tried: Tried) -> None:
        """An item through a segment of its own stages."""
        segment: Segment = self._workflow.segments[index]
        watch = Stopwatch()

        def read(record: Record) -> bytes:
            with watch.timing("read"):
                data = self._read(record)
            tried.size = tried.size or len(data)
            return data

        def put(_record: Record, artifacts: Sequence[Artifact]) -> None:
            with watch.timing("write"):
                for artifact in artifacts:
                    self._write(artifact)
                    tried.outputs[artifact.role] = tried.outputs.get(artifact.role, 0) + len(artifact.data)
            tried.puts += len(artifacts)

        self._flow.carry(segment, [item], UnitContext(read, put, lambda name, data: None), watch)
        tried.seconds[index] = sum(watch.seconds[stage.name] for stage in segment.stages)
        for name, seconds in watch.seconds.items():
            tried.stages[name] = tried.stages.get(name, 0.0) + seconds
        if tried.puts and self._put_seconds:
            tried.seconds[index] += tried.puts * self._put_seconds
            tried.stages["write"] = tried.stages.get("write", 0.0) + tried.puts * self._put_seconds


def is_local(output: Folder) -> bool:
    """Whether a folder lies on a disk of this machine, as far as its address says."""
    return "://" not in output.uri or output.uri.startswith("file://")
