"""What a driven run has come to, held so that other threads can read it at any time."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import Metric

from jobs.observe.metrics import BUCKETS, Labels, Spread, Values, family, histogram
from pipeline.parcel import Receipt
from pipeline.runners.contract import Signs
from pipeline.tally import Tally

MOST_CODES = 64
"""Reasons of quarantine that get a series each; the rarest beyond that share one, named `other`."""

EVENTS = ("batch_halved", "engine_fallback")
"""What engines count (`operators.engines.climb`). A counter begins at 0, so that its first step can be seen."""

ENDS = ("done", "already", "lost", "error", "released")
COMMITTED = frozenset({"done", "already", "lost"})

# Counts of job kinds that have a metric; `count` is the name before a colon.
IMAGES = {"images_changed": "changed", "images_unchanged": "unchanged"}
RESTORED = frozenset({"faces_restored", "faces_flagged"})
SAID_OTHERWISE = frozenset({"faces_kept"})  # the sum of `faces_kept:<reason>`


@dataclass(frozen=True)
class About:
    """What does not change while a run goes on.

    Attributes:
        job_name: the job's name.
        kind: what is run.
        run: the run's id.
        version: of facejobs.
        runner: `local` or `ray`.
        placement: as the job has it.
    """

    job_name: str
    kind: str
    run: str
    version: str
    runner: str
    placement: str

    @property
    def common(self) -> Labels:
        """Values of the labels that every series has."""
        return (self.job_name, self.kind)


class Numbers:
    """Counts a run for Prometheus.

    Gauges say how the run stands, whatever command has brought it there; counters what this command has done.

    Args:
        about: the run.
        signs: what the runner knows of its workers; asked whenever the numbers are read.
        clock: Unix time.
    """

    def __init__(self, about: About, signs: Callable[[], Signs], clock: Callable[[], float] = time.time) -> None:
        self._about = about
        self._signs = signs
        self._clock = clock
        self._lock = threading.Lock()
        self._tally: Tally | None = None
        self._active = True
        self._started = self._progress = clock()
        self._last_unit = 0.0
        self._ends: Counter[str] = Counter(dict.fromkeys(ENDS, 0))
        self._records: Counter[str] = Counter(ok=0, quarantined=0)
        self._counts: Counter[str] = Counter({f"engine:{event}": 0 for event in EVENTS})
        self._stages: dict[str, float] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._retries = self._bytes = 0

    def add(self, tally: Tally, receipt: Receipt | None) -> None:
        """Take over how a run stands, and what a worker has reported of a unit."""
        with self._lock:
            self._tally = _copy(tally)
            if receipt is not None:
                self._add(receipt)

    def close(self) -> None:
        """The command has left the run."""
        self._active = False

    def families(self) -> Iterator[Metric]:
        """All metrics as they are now; none before the run has been counted for the first time."""
        signs = self._signs() if self._active else Signs()
        common = self._about.common
        with self._lock:
            if self._tally is None:
                return
            values = {**self._standing(self._tally, signs), **self._done()}
            spread = Spread(tuple(self._buckets), self._seconds)
        yield from (family(name, series, common) for name, series in values.items())
        yield histogram("unit_duration_seconds", spread, common)

    def _add(self, receipt: Receipt) -> None:
        self._ends[receipt.state] += 1
        self._progress = self._clock()
        if receipt.state in COMMITTED and receipt.finished:
            self._last_unit = max(self._last_unit, datetime.fromisoformat(receipt.finished).timestamp())
        if receipt.state != "done":  # of the others another command has said, or says, what they came to
            return
        self._records.update(ok=receipt.ok, quarantined=receipt.records - receipt.ok)
        self._counts.update(receipt.counts)
        for stage, seconds in receipt.stages.items():
            self._stages[stage] = self._stages.get(stage, 0.0) + seconds
        self._buckets[bisect_left(BUCKETS, receipt.seconds)] += 1
        self._seconds += receipt.seconds
        self._retries += max(0, receipt.attempt - 1)
        self._bytes += receipt.output_bytes

    def _standing(self, tally: Tally, signs: Signs) -> dict[str, Values]:
        """Gauges: how the run stands."""
        about = self._about
        given_up = self._ends["error"]
        left = max(0, tally.units_planned - tally.units_committed - given_up)
        waiting = min(left, next((depth.waiting for depth in signs.depths.values()), left))
        values: dict[str, Values] = {
            "run_info": {(about.run, about.version, about.runner, about.placement): 1},
            "run_active": {(): int(self._active)},
            "run_start_timestamp_seconds": {(): self._started},
            "last_progress_timestamp_seconds": {(): self._progress},
            "records_planned": {(): tally.records_planned},
            "records": _by(ok=tally.ok, quarantined=tally.quarantined, todo=tally.records_planned - tally.done),
            "quarantined_records": _codes(tally.codes),
            "units_planned": {(): tally.units_planned},
            "units": _by(committed=tally.units_committed, in_flight=left - waiting, waiting=waiting, given_up=given_up),
        }
        if self._last_unit:
            values["last_unit_timestamp_seconds"] = {(): self._last_unit}
        if signs.idle is not None:
            values["last_sign_timestamp_seconds"] = {(): self._clock() - signs.idle}
        if signs.depths:
            values["queue_units"] = {
                (part, state): count
                for part, depth in signs.depths.items()
                for state, count in (("waiting", depth.waiting), ("at_work", depth.at_work))
            }
        return values

    def _done(self) -> dict[str, Values]:
        """Counters: what this command has done."""
        split = _split(self._counts)
        return {
            "records_processed_total": _by(**self._records),
            "unit_ends_total": _by(**self._ends),
            "unit_retries_total": {(): self._retries},
            "stage_seconds_total": {(stage,): seconds for stage, seconds in self._stages.items()},
            "output_bytes_total": {(): self._bytes},
            **split,
        }


def _copy(tally: Tally) -> Tally:
    """What is read of a tally, which its driver goes on changing."""
    return Tally(
        tally.units_planned,
        tally.records_planned,
        tally.units_committed,
        tally.ok,
        tally.quarantined,
        Counter(tally.codes),
    )


def _by(**values: float) -> Values:
    return {(name,): value for name, value in values.items()}


def _codes(codes: Counter[str]) -> Values:
    series: dict[Labels, float] = {(code,): float(count) for code, count in codes.most_common(MOST_CODES)}
    rest = sum(codes.values()) - sum(series.values())
    return {**series, ("other",): rest} if rest else series


def _split(counts: Mapping[str, int]) -> dict[str, Values]:
    """What a job kind counts, by metric."""
    series: dict[str, dict[Labels, float]] = {
        name: {}
        for name in (
            "images_total",
            "faces_kept_total",
            "job_counts_total",
            "engine_faces_total",
            "engine_events_total",
        )
    }
    single = dict.fromkeys(("faces_found_total", "faces_restored_total", "input_bytes_total"), 0.0)
    for name, count in counts.items():
        head, _, tail = name.partition(":")
        if name in IMAGES:
            series["images_total"][IMAGES[name],] = count
        elif name in RESTORED:
            single["faces_restored_total"] += count
        elif name == "faces_found":
            single["faces_found_total"] += count
        elif name == "bytes_in":
            single["input_bytes_total"] += count
        elif head == "faces_kept" and tail:
            series["faces_kept_total"][tail,] = count
        elif head == "faces_by":
            series["engine_faces_total"][_engine(tail)] = count
        elif head == "engine":
            series["engine_events_total"][tail,] = count
        elif name not in SAID_OTHERWISE:
            series["job_counts_total"][name,] = count
    return {**series, **{name: {(): value} for name, value in single.items()}}


def _engine(label: str) -> Labels:
    """Engine, precision and device of `jobs.restore.tables.label`; a device may have spaces in its name."""
    engine, precision, device = (*label.split(" ", 2), "", "")[:3]
    return engine, precision, device
