"""Time as a watcher has lived through it."""

from __future__ import annotations

import time
from collections.abc import Callable

LAPSE_SECONDS = 1.0
"""Most that counts between two looks at the clock, which are 0.05 s apart."""


class Clock:
    """Seconds, without those in which the watcher itself stood still.

    A machine that is suspended, a container that is paused and a command that is stopped in its terminal (Ctrl-Z) would
    otherwise make whatever record is under way a slow one.

    Args:
        seconds: where time comes from.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._read = seconds
        self._last = seconds()
        self._now = 0.0

    def now(self) -> float:
        """Seconds since it was made; never less than before."""
        last, self._last = self._last, self._read()
        self._now += min(self._last - last, LAPSE_SECONDS)
        return self._now
