"""What there is to do in one pass over records: units, and what each of them takes each segment."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import partial
from math import hypot

import numpy as np
from numpy.typing import NDArray

from jobs.estimate.fixed import MACHINE_SHARE, SAMPLE_REQUESTS, SAMPLE_SECONDS, UNIT_REQUESTS, UNIT_SECONDS
from jobs.estimate.ranges import Range, Total, around, total_of
from jobs.estimate.trial import REMOTE_PUT_SECONDS, Trial, Tried
from pipeline.stage import Workflow

LAST = 2
"""Index of the segment that writes."""


@dataclass
class Units:
    """The units of a plan in numbers, 16 bytes each.

    Attributes:
        records: of each, those left out that are known to fail.
        bytes: of each.
    """

    records: array[int] = field(default_factory=lambda: array("q"))
    bytes: array[int] = field(default_factory=lambda: array("q"))

    def add(self, records: int, size: int) -> None:
        """Append a unit."""
        self.records.append(records)
        self.bytes.append(size)

    def __len__(self) -> int:
        """How many."""
        return len(self.records)


@dataclass(frozen=True)
class Load:
    """One pass of a run over records.

    Attributes:
        name: `restore`, `survey` or `make`.
        workflow: whose segments the records pass.
        records: how many there are to do.
        units: that they are cut into.
        whole: seconds of all segments together, in one worker; without what units take beside their records.
        parts: seconds of front, middle and back.
        weight: what the middle works on (faces), in all records.
        warm_seconds: what the first record takes a worker more.
        samples: records of which pictures are kept for the report.
        start_seconds: what a worker needs until it can take a unit.
        cpu_share: part of the trial's time, waits for storage left out, in which it had a CPU, 0 to 1.
        on_gpu: whether the middle was tried on a GPU.
        remote: whether the ledger lies in an object store.
    """

    name: str
    workflow: Workflow
    records: int
    units: Units
    whole: Range
    parts: tuple[Total, Total, Total]
    weight: Range
    warm_seconds: float
    start_seconds: float
    samples: int = 0
    cpu_share: float = 1.0
    on_gpu: bool = False
    remote: bool = False

    @property
    def unit_seconds(self) -> float:
        """What a unit takes beside its records."""
        return UNIT_REQUESTS * REMOTE_PUT_SECONDS if self.remote else UNIT_SECONDS

    @property
    def sample_seconds(self) -> float:
        """What the pictures for the report take, all of them."""
        return self.samples * (SAMPLE_REQUESTS * REMOTE_PUT_SECONDS if self.remote else SAMPLE_SECONDS)

    @property
    def doubt(self) -> Range:
        """The range of the work around 1: of the sample, of the machine, and of other work on it meanwhile."""
        point = self.whole.point
        if point <= 0:
            return Range(1.0, 1.0, 1.0)
        half = hypot((self.whole.high - point) / point, MACHINE_SHARE, 0.0 if self.on_gpu else 1 - self.cpu_share)
        return around(1.0, half)

    def by_unit(self, segment: int) -> NDArray[np.float64]:
        """(units,) seconds that each unit takes a worker that runs one of the segments."""
        part = self.parts[segment]
        each = part.each * np.asarray(self.units.records, np.float64)
        each += part.byte * np.asarray(self.units.bytes, np.float64)
        if segment < LAST:
            return each
        pictures = self.sample_seconds / max(1, self.records) * np.asarray(self.units.records, np.float64)
        return each + pictures + self.unit_seconds


def totals(trial: Trial) -> tuple[Range, tuple[Total, Total, Total]]:
    """Seconds of all records that are not known to fail: of all segments together, and of each."""
    front, middle, back = (total_of(trial.groups(partial(_of_segment, index))) for index in range(3))
    whole = total_of(trial.groups(lambda one: sum(one.seconds))).range
    return whole, (front, middle, back)


def _of_segment(index: int, one: Tried) -> float:
    return one.seconds[index]
