"""When units ended and how long they took, kept small enough for a hundred thousand of them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.ledger import Commit

PAUSE_SECONDS = 600.0
"""A time without any unit under way that is longer than this is a pause, as in the report; see `Course.pause`."""

BINS = 60
"""Bars of the chart at most."""

BIN_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800)
WINDOWS = (30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0)
ENOUGH = 10
"""Commits that make a rate of now worth saying."""


class Pace:
    """Start, end and records of every unit that was read; 22 bytes each."""

    def __init__(self) -> None:
        self._started = array("d")
        self._finished = array("d")
        self._records = array("I")
        self._hosts = array("H")
        self._course: Course | None = None

    def __len__(self) -> int:
        return len(self._finished)

    def add(self, commit: Commit) -> int:
        """Take a unit; gives its place, for `place_at`."""
        self._finished.append(datetime.fromisoformat(commit.finished).timestamp())
        started = datetime.fromisoformat(commit.started).timestamp()
        self._started.append(min(started, self._finished[-1]))  # two clocks may have written them, after a crash
        self._records.append(commit.records)
        self._hosts.append(0)
        self._course = None
        return len(self._finished) - 1

    def place_at(self, place: int, host: int) -> None:
        """Say which host did a unit; 0 stands for one that is not known."""
        self._hosts[place] = host
        self._course = None

    def course(self) -> Course:
        """All of it as arrays, in the order in which units ended."""
        if self._course is None:
            finished = np.array(self._finished)
            order = np.argsort(finished, kind="stable")
            self._course = Course(
                np.array(self._started)[order],
                finished[order],
                np.array(self._records, np.int64)[order],
                np.array(self._hosts, np.int64)[order],
            )
        return self._course


@dataclass(frozen=True)
class Timeline:
    """Throughput over time.

    Attributes:
        start: of the first bar, seconds since 1970.
        bin_seconds: width of a bar.
        rates: records a second, bar by bar; the last bar may be under way and is then counted up to now.
    """

    start: float
    bin_seconds: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Course:
    """What happened when.

    Attributes:
        started: (n,) seconds since 1970.
        finished: (n,) likewise, ascending.
        records: (n,) of each unit.
        hosts: (n,) numbers of hosts.
    """

    started: NDArray[np.float64]
    finished: NDArray[np.float64]
    records: NDArray[np.int64]
    hosts: NDArray[np.int64]

    @cached_property
    def slow_unit(self) -> float:
        """Seconds that 95 of 100 of the last 200 units stayed below; 0 without units."""
        lasted = (self.finished - self.started)[-200:]
        return float(np.quantile(lasted, 0.95)) if lasted.size else 0.0

    @property
    def pause(self) -> float:
        """Seconds without any unit under way that count as a pause: work on short units is interrupted for less."""
        return min(PAUSE_SECONDS, max(30.0, 5.0 * self.slow_unit))

    @cached_property
    def _gaps(self) -> NDArray[np.float64]:
        """(k, 2) beginnings and ends of pauses."""
        if not self.finished.size:
            return np.empty((0, 2))
        order = np.argsort(self.started, kind="stable")
        begun = self.started[order][1:]
        reached = np.maximum.accumulate(self.finished[order])[:-1]
        idle = begun - reached > self.pause
        return np.stack((reached[idle], begun[idle]), axis=1)

    @property
    def session_start(self) -> float:
        """When work began after the last pause, seconds since 1970."""
        return float(self._gaps[-1, 1]) if len(self._gaps) else float(self.started.min())

    @property
    def worked(self) -> float:
        """Seconds from the first beginning to the last end, without pauses."""
        if not self.finished.size:
            return 0.0
        whole = self.finished[-1] - self.started.min()
        return float(whole - (self._gaps[:, 1] - self._gaps[:, 0]).sum())

    def session(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Ends of units since the last pause, in seconds after its end, and their records."""
        if not self.finished.size:
            return self.finished, self.records
        start = self.session_start
        first = int(np.searchsorted(self.finished, start, side="right"))
        return self.finished[first:] - start, self.records[first:]

    def window(self, now: float) -> float:
        """Seconds before now that hold enough commits to say a rate; the whole session where it is shorter."""
        ages = now - self.finished[-ENOUGH:]
        if not ages.size:
            return WINDOWS[0]
        length = next((window for window in WINDOWS if ages.size >= ENOUGH and window >= ages[0]), WINDOWS[-1])
        return float(min(length, max(now - self.session_start, 1.0)))

    def rate(self, now: float, window: float) -> float:
        """Records a second within so many seconds before now."""
        first = int(np.searchsorted(self.finished, now - window, side="right"))
        return float(self.records[first:].sum()) / window

    def rates_of_hosts(self, now: float, window: float, hosts: int) -> NDArray[np.float64]:
        """(hosts,) records a second of each within so many seconds before now."""
        first = int(np.searchsorted(self.finished, now - window, side="right"))
        sums = np.bincount(self.hosts[first:], weights=self.records[first:], minlength=hosts)
        rates: NDArray[np.float64] = sums / window
        return rates

    def timeline(self, now: float) -> Timeline | None:
        """Throughput since the last pause; None before the third unit of it."""
        ends, records = self.session()
        if ends.size < 3:
            return None
        length = max(min(now - self.session_start, float(ends[-1]) + self.pause), float(ends[-1]), 1.0)
        least = max(length / BINS, 2.0 * length / ends.size)
        width = next((width for width in BIN_SECONDS if width >= least), BIN_SECONDS[-1])
        bins = max(int(np.ceil(length / width)), 1)
        sums, _ = np.histogram(ends, bins=bins, range=(0.0, bins * width), weights=records)
        spans = np.full(bins, float(width))
        spans[-1] = length - (bins - 1) * width
        if bins > 1 and spans[-1] < width / 2:  # too little of it has passed to say anything
            sums, spans = sums[:-1], spans[:-1]
        return Timeline(self.session_start, width, tuple(float(rate) for rate in sums / spans))
