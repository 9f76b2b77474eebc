"""Peak memory of a process and all its descendants."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

INTERVAL = 0.5


class PeakMemory:
    """Samples, twice a second, the proportional set size (shared pages divided among those who share them)."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL):
            self.peak = max(self.peak, descendants_bytes())


def descendants_bytes() -> int:
    """Bytes held by this process's descendants now."""
    return sum(_bytes(process) for process in psutil.Process().children(recursive=True))


def _bytes(process: psutil.Process) -> int:
    """Of one process; 0 when it has gone in the meantime."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
