"""Seeing, beside a Ray Data execution, that a run is to be drained, and that a cluster stands still."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pipeline.runners.foreman import asked

LOOK_SECONDS = 0.5
ASK_SECONDS = 10.0


class StalledError(Exception):
    """Nothing comes, and no worker is at work."""


class Arrivals:
    """When a unit last came to its end."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def one(self) -> None:
        """A unit has come."""
        self._last = time.monotonic()

    def since(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._last


@contextmanager
def overseen(foreman: Any, drain: threading.Event, stall_seconds: float) -> Iterator[Arrivals]:
    """Pass the word to drain on to the workers, and raise StalledError in the block when all stands still.

    The block waits in Ray's native code, out of which only a signal brings it: SIGUSR1, which is taken while it lasts.
    Outside of the main thread there are no signals, and nothing is raised.

    Args:
        foreman: of the run.
        drain: see `Runner.run`.
        stall_seconds: no unit has come for so long, and no worker was at work or none could be asked.
    """
    arrivals = Arrivals()
    left = threading.Event()
    main = threading.current_thread() is threading.main_thread()
    found: list[str] = []

    def stalled(_number: int, _frame: FrameType | None) -> None:
        if found:
            raise StalledError(found[0])

    def look() -> None:
        told = False
        working = asked_at = time.monotonic()
        while not left.wait(LOOK_SECONDS):
            if drain.is_set() and not told:
                foreman.drain.remote()
                told = True
            now = time.monotonic()
            if not main or arrivals.since() < stall_seconds or now - asked_at < ASK_SECONDS:
                continue
            idle = asked(foreman.idle.remote(), None)
            asked_at = time.monotonic()
            working = now - idle if idle is not None else working
            if now - max(working, now - arrivals.since()) > stall_seconds:
                found.append(_words(stall_seconds))
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
                return

    before = signal.signal(signal.SIGUSR1, stalled) if main else None
    thread = threading.Thread(target=look, name="overseer", daemon=True)
    thread.start()
    try:
        yield arrivals
    finally:
        left.set()
        thread.join(ASK_SECONDS)
        if main:
            signal.signal(signal.SIGUSR1, before or signal.SIG_DFL)


def _words(stall_seconds: float) -> str:
    import ray  # noqa: PLC0415

    try:
        have = ray.cluster_resources()
        there = f"has {have.get('CPU', 0):g} CPUs and {have.get('GPU', 0):g} GPUs now"
    except Exception as error:  # noqa: BLE001 - whatever Ray raises when its head has gone
        there = f"does not answer ({type(error).__name__})"
    return (
        f"no unit came to an end for {stall_seconds:g} s and no worker was at work: the cluster {there}; it may have "
        "lost machines that its workers need. Give it more, or run.placement: fused, and run again"
    )
