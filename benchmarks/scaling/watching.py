"""What a case's processes take of the machine while it runs: processor time and memory, by what they are."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

import psutil

DRIVER, RAY, ACTORS, CHILDREN = ROLES = ("driver", "ray", "actors", "children")
"""The command itself; raylet, GCS and what serves them; actors of the pools; the processes that actors watch."""

INTERVAL_SECONDS = 1.0


@dataclass(frozen=True)
class Look:
    """One look at all processes.

    Attributes:
        at: seconds since 1970.
        cpu: seconds of processor time since the first look, by role; of processes that have ended as well.
        held: bytes by role: resident, without files and memory that are shared.
        processes: how many, by role.
    """

    at: float
    cpu: dict[str, float]
    held: dict[str, int]
    processes: dict[str, int]


def role_of(command: Sequence[str]) -> str:
    """What a process below the driver is, by its command line."""
    line = " ".join(command)
    if "pipeline.watched.child" in line:
        return CHILDREN
    return ACTORS if line.startswith("ray::MapWorker") else RAY


@dataclass
class Watching:
    """Looks at a process and all below it, once a second, while the block runs.

    Args:
        pid: of the process.
    """

    pid: int
    looks: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known: dict[int, tuple[psutil.Process, float]] = {}
        self._spent = dict.fromkeys(ROLES, 0.0)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="looks", daemon=True)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._left.wait(INTERVAL_SECONDS):
            try:
                top = psutil.Process(self.pid)
                found = [top, *top.children(recursive=True)]
            except psutil.Error:
                return
            self.looks.append(self._look(found))

    def _look(self, found: Sequence[psutil.Process]) -> Look:
        at = time.time()
        held: Counter[str] = Counter()
        processes: Counter[str] = Counter()
        for process in found:
            try:
                with process.oneshot():
                    role = DRIVER if process.pid == self.pid else role_of(process.cmdline())
                    times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue
            spent = times.user + times.system
            before = self._known.get(process.pid)
            self._spent[role] += spent - (before[1] if before and before[0] == process else 0.0)
            self._known[process.pid] = process, spent
            held[role] += memory.rss - getattr(memory, "shared", 0)
            processes[role] += 1
        return Look(at, dict(self._spent), dict(held), dict(processes))


def cores_in(looks: Sequence[Look], window: tuple[float, float]) -> dict[str, float]:
    """Cores that each role kept busy in a window, on average; empty where nobody looked on both sides of it."""
    ends = [_spent_at(looks, moment) for moment in window]
    if None in ends or window[1] <= window[0]:
        return {}
    before, after = (end or {} for end in ends)
    return {role: (after.get(role, 0.0) - before.get(role, 0.0)) / (window[1] - window[0]) for role in ROLES}


def most_in(looks: Sequence[Look], window: tuple[float, float]) -> Look | None:
    """The look in a window at which most memory was held; None where nobody looked in it."""
    inside = [look for look in looks if window[0] <= look.at <= window[1]]
    return max(inside, key=lambda look: sum(look.held.values()), default=None)


def _spent_at(looks: Sequence[Look], moment: float) -> dict[str, float] | None:
    """Processor time at a moment, on the line between the looks before and after it."""
    place = bisect_left([look.at for look in looks], moment)
    if place in (0, len(looks)):
        return None
    before, after = looks[place - 1], looks[place]
    share = (moment - before.at) / (after.at - before.at)
    return {
        role: before.cpu.get(role, 0.0) + share * (after.cpu.get(role, 0.0) - before.cpu.get(role, 0.0))
        for role in ROLES
    }
