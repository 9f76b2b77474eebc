"""What SIGTERM and SIGINT do: end a command, or first let work that is under way come to its end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Interrupted(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt it passes every handler of ordinary errors."""


@contextmanager
def terminable() -> Iterator[threading.Event]:
    """Turn SIGTERM and SIGINT into exceptions in the main thread, Interrupted and KeyboardInterrupt.

    Yields:
        set once a signal has come: Python swallows an exception that is raised while it runs a finaliser, so a loop
        that can go on for hours looks here as well.
    """
    stopped = threading.Event()

    def stop(number: int) -> None:
        stopped.set()
        raise Interrupted if number == signal.SIGTERM else KeyboardInterrupt

    with _handled(stop):
        yield stopped


class Stop:
    """How far stopping has come.

    Attributes:
        drain: set by the first signal, or by whoever has another reason: nothing new is begun.
        signalled: set by the first signal alone.
        at_once: after the second one, or the end of the grace period.
    """

    def __init__(self) -> None:
        self.drain = threading.Event()
        self.signalled = threading.Event()
        self.at_once = False

    def check(self) -> None:
        """Raise Interrupted once everything is to stop at once."""
        if self.at_once:
            raise Interrupted


@contextmanager
def draining(grace_seconds: float) -> Iterator[Stop]:
    """Have the first signal set `drain`, and the second one, or the end of the grace period, stop everything.

    Args:
        grace_seconds: from the first signal; with 0 that stops everything already.
    """
    stop = Stop()
    left = threading.Event()
    came: list[int] = []

    def signalled(number: int) -> None:
        # A handler runs between any two steps of the main thread, which may hold the locks of an event or of
        # `threading` just then, in an earlier signal's handler for one: so an event is set once, and no thread is
        # started here.
        came.append(number)
        if len(came) == 1:
            stop.drain.set()
            stop.signalled.set()
            if grace_seconds:
                return
        stop.at_once = True
        raise Interrupted if number == signal.SIGTERM else KeyboardInterrupt

    def end_grace() -> None:
        stop.signalled.wait()
        if not left.wait(grace_seconds):
            os.kill(os.getpid(), came[0])  # another one may be ignored

    with _handled(signalled):
        if grace_seconds:
            threading.Thread(target=end_grace, name="grace", daemon=True).start()
        try:
            yield stop
        finally:
            left.set()
            stop.drain.set()
            stop.signalled.set()  # the thread waits for that


@contextmanager
def _handled(handler: Callable[[int], None]) -> Iterator[None]:
    """Have the signals that stop a program call `handler` with their number, in the main thread only.

    A signal that is ignored stays so (a shell ignores SIGINT for what it starts in the background), and one that other
    native code handles stays with that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        handler(number)

    before = {number: signal.getsignal(number) for number in STOPPING}
    caught = [number for number, former in before.items() if former not in (signal.SIG_IGN, None)]
    for number in caught:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
