"""Arithmetic on naps: the steady window of a phase, throughput against ideal, and where the rest of the time went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Slept:
    """One nap of a record, as the run's table has it; times in seconds since 1970.

    Attributes:
        phase: index of the phase.
        unit: index of the unit in the plan.
        segment: front, middle or back.
        worker: machine and process.
        begin: when it fell asleep.
        end: when it woke.
        seconds: how long it was to sleep.
    """

    phase: int
    unit: int
    segment: str
    worker: str
    begin: float
    end: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Span:
    """A unit in a worker: from falling asleep over its first record to waking from its last.

    Attributes:
        unit: index of the unit in the plan.
        worker: machine and process.
        begin: of the first nap.
        end: of the last nap.
        asked: seconds that its naps were to take.
        slept: seconds that they took.
    """

    unit: int
    worker: str
    begin: float
    end: float
    asked: float
    slept: float


@dataclass(frozen=True)
class Loss:
    """Seconds a unit that a worker did not spend in naps as they were asked for, on average over the window.

    Attributes:
        late: naps that took longer than asked: the machine was busy when they were over.
        between: between naps of a unit: reading, writing, messages to the watcher.
        closing: from the last nap until the commit is made ready: table parts. 0 for a worker that does not commit.
        handing: until the next unit is opened: the commit's put, the way to the driver and back. For a worker that
            neither opens nor commits, until its next nap: unpacking, packing, waiting for a unit.
        opening: from there to the first nap: the attempt's mark, the unit's part of the plan; or 0.
    """

    late: float
    between: float
    closing: float
    handing: float
    opening: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.late + self.between + self.closing + self.handing + self.opening


def naps_of(rows: Iterable[Mapping[str, Any]], segments: frozenset[str]) -> list[Slept]:
    """Naps in these segments, from rows of the run's table; phase and unit stand in a record's key."""
    naps = []
    for row in rows:
        if row["segment"] in segments:
            phase, unit, _ = row["key"].split("/")
            naps.append(
                Slept(int(phase), int(unit), row["segment"], row["worker"], row["begin"], row["end"], row["seconds"])
            )
    return naps


def spans_of(naps: Iterable[Slept]) -> list[Span]:
    """Units as workers had them, in the order of their beginnings. A unit that was tried twice has two spans."""
    groups: dict[tuple[int, str], list[Slept]] = defaultdict(list)
    for nap in naps:
        groups[nap.unit, nap.worker].append(nap)
    spans = [
        Span(
            unit,
            worker,
            min(nap.begin for nap in group),
            max(nap.end for nap in group),
            sum(nap.seconds for nap in group),
            sum(nap.end - nap.begin for nap in group),
        )
        for (unit, worker), group in groups.items()
    ]
    return sorted(spans, key=lambda span: span.begin)


def window_of(naps: Sequence[Slept], phase: int) -> tuple[float, float]:
    """The steady window of a phase, in seconds since 1970; its end may lie before its beginning: there is none then.

    It begins when every worker has fallen asleep over its first unit of the phase, its very first unit not counted
    (over that it loads what it needs only once), and nobody works on one of an earlier phase any more. It ends when
    only as many units are left to begin as there are workers: units may be given out one ahead, and the last ones not
    evenly, so that from then on workers may run out of them.
    """
    loading = {span.worker: span.unit for span in reversed(spans_of(naps))}
    spans = spans_of(nap for nap in naps if nap.phase == phase)
    first = {span.worker: span.begin for span in reversed(spans) if span.unit != loading[span.worker]}
    earlier = max((nap.end for nap in naps if nap.phase < phase), default=0.0)
    return max([earlier, *first.values()]), spans[max(0, len(spans) - len(loading))].begin


def share_asked(naps: Iterable[Slept], window: tuple[float, float], workers: int) -> float:
    """Efficiency: seconds of sleep that were asked for and done in the window, over the workers' seconds in it.

    A nap that lies in the window in part counts in part. It is the ratio of throughput to ideal, since N workers that
    did nothing but sleep as asked would do N / (seconds of a record) records a second.
    """
    begin, end = window
    done = sum(
        nap.seconds * max(0.0, min(nap.end, end) - max(nap.begin, begin)) / (nap.end - nap.begin)
        for nap in naps
        if nap.end > nap.begin
    )
    return done / (workers * (end - begin))


def loss_in(
    spans: Sequence[Span], marks: Mapping[int, tuple[float, float]], window: tuple[float, float]
) -> Loss | None:
    """Where a worker's time goes from one unit's first nap to the next one's; None where no such pair is there.

    Args:
        spans: of one run.
        marks: when each unit was opened and its commit made ready, seconds since 1970; empty where the workers do
            neither.
        window: pairs count whose first unit begins in it.
    """
    chains: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        chains[span.worker].append(span)
    losses = [
        _loss(span, after, marks)
        for chain in chains.values()
        for span, after in pairwise(chain)
        if window[0] <= span.begin < window[1]
    ]
    if not losses:
        return None
    return Loss(*(sum(loss[part] for loss in losses) / len(losses) for part in range(5)))


def _loss(span: Span, after: Span, marks: Mapping[int, tuple[float, float]]) -> tuple[float, ...]:
    """The parts of a `Loss`, for one unit."""
    ready = marks[span.unit][1] if marks else span.end
    opened = marks[after.unit][0] if marks else after.begin
    late, between = span.slept - span.asked, span.end - span.begin - span.slept
    return late, between, ready - span.end, opened - ready, after.begin - opened
