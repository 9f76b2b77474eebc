"""Seeing, beside a Ray Data execution, that a run is to be drained, and that a cluster stands still."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any, TypeVar

from pipeline.runners.foreman import asked

T = TypeVar("T")

LOOK_SECONDS = 0.5
ASK_SECONDS = 10.0
LAPSE_SECONDS = 5.0
"""If so long passes between two looks, this process itself stood still (a terminal's Ctrl-Z, a paused container)."""


class StalledError(Exception):
    """Nothing comes, and no worker is at work."""


class Arrivals:
    """When a unit last came to its end.

    Attributes:
        awaited: whether the next one is waited for just now, rather than the last one dealt with.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.awaited = False

    def of(self, units: Generator[T, None, None]) -> Iterator[T]:
        """The units as they come. StalledError is raised in here, and not in whoever deals with them."""
        with closing(units):
            while True:
                self.awaited = True
                try:
                    unit = next(units)
                except StopIteration:
                    return
                finally:
                    self.awaited = False
                self.one()
                yield unit

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
    It is sent again as long as the block goes on, since Python swallows what is raised in a finaliser. Outside of the
    main thread there are no signals, and nothing is raised.

    Args:
        foreman: of the run.
        drain: see `Runner.run`.
        stall_seconds: no unit has come for so long, and no worker was at work or none could be asked.
    """
    arrivals = Arrivals()
    left = threading.Event()
    sending = threading.Lock()
    main = threading.current_thread() is threading.main_thread()
    found: list[str] = []

    def stalled(_number: int, _frame: FrameType | None) -> None:
        if found and arrivals.awaited and not left.is_set():
            raise StalledError(found[0])

    def look() -> None:
        working = asked_at = looked = time.monotonic()
        while not left.wait(LOOK_SECONDS):
            now = time.monotonic()
            if now - looked > LAPSE_SECONDS:
                arrivals.one()
            looked = now
            if drain.is_set():
                foreman.drain.remote()  # at every look: a foreman that was started again has forgotten it
            if not main or now - asked_at < ASK_SECONDS:
                continue
            idle = asked(foreman.idle.remote(), None)
            asked_at = looked = time.monotonic()
            working = max(working, asked_at - idle) if idle is not None else working
            if asked_at - working <= stall_seconds or arrivals.since() <= stall_seconds:
                continue
            found[:] = [_words(stall_seconds)]
            with sending:
                if not left.is_set():
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            looked = time.monotonic()

    before = signal.signal(signal.SIGUSR1, stalled) if main else None
    thread = threading.Thread(target=look, name="overseer", daemon=True)
    thread.start()
    try:
        yield arrivals
    finally:
        with sending:  # nothing is sent once the signal would find its former handler
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
        "lost machines that its workers need, or other jobs may hold them. Give it more, or run.placement: fused, and "
        "run again"
    )
