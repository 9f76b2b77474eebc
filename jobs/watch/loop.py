"""A thread that takes snapshots at intervals, so that whoever shows them never waits for storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from jobs.watch.snapshot import Snapshot
from jobs.watch.watcher import Watcher
from pipeline.errors import LedgerError, NoSuchRunError, StorageError
from pipeline.retries import is_storage

DUTY = 5.0
"""A refresh that took t seconds is followed by no other for (DUTY - 1) t: of a run whose listing takes long, little
time is spent on looking at it."""

LONGEST = 300.0
SLOW_ANSWER = 10.0
"""Seconds without an answer of storage after which that is said."""


@dataclass(frozen=True)
class Seen:
    """What there is to show.

    Attributes:
        snapshot: the last one that could be taken; None before the first.
        at: when it was taken, on the monotonic clock.
        problem: why the last refresh failed; empty when it did not.
        version: grows with every refresh, failed ones too.
        asking: since when a refresh is under way, on the monotonic clock; None while none is.
    """

    snapshot: Snapshot | None = None
    at: float = 0.0
    problem: str = ""
    version: int = 0
    asking: float | None = None

    def trouble(self, scrub: Callable[[str], str], now: float | None = None) -> str:
        """What is the matter with storage, in a sentence; empty when nothing is."""
        now = time.monotonic() if now is None else now
        if self.problem:
            return f"The last look failed and is tried again: {scrub(self.problem)}"
        if self.asking is not None and now - self.asking > SLOW_ANSWER:
            return f"Storage has not answered for {now - self.asking:.0f} s; it is asked again."
        return ""


class Loop:
    """Takes snapshots until it is stopped.

    Args:
        watcher: takes them.
        every: seconds between the beginnings of two, at least.
        wanted: while this says no, none is taken.
    """

    def __init__(self, watcher: Watcher, every: float, wanted: Callable[[], bool] = lambda: True) -> None:
        self._watcher = watcher
        self._every = every
        self._wanted = wanted
        self._seen = Seen()
        self._failure: BaseException | None = None
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Loop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    @property
    def seen(self) -> Seen:
        """What there is to show now. Raises what the thread ended with, if it was a defect."""
        with self._news:
            if self._failure is not None:
                raise self._failure
            return self._seen

    def wait(self, version: int, seconds: float) -> Seen:
        """What there is to show, once it is newer than a version or so many seconds have passed."""
        with self._news:
            self._news.wait_for(lambda: self._seen.version > version or self._failure is not None, seconds)
        return self.seen

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                pause = self._refresh() if self._wanted() else 0.2
                self._stop.wait(pause)
        except BaseException as error:  # noqa: BLE001 - raised again where it can be said, in `seen`
            with self._news:
                self._failure = error
                self._news.notify_all()

    def _refresh(self) -> float:
        """Take one; seconds to wait for the next."""
        began = time.monotonic()
        with self._news:
            self._seen = replace(self._seen, asking=began)
        problem, snapshot = "", None
        try:
            snapshot = self._watcher.refresh()
        except (StorageError, LedgerError, NoSuchRunError) as error:
            problem = str(error)
        except Exception as error:
            if not is_storage(error):
                raise
            problem = f"{type(error).__name__}: {error}"
        ended = time.monotonic()
        with self._news:
            before = self._seen
            self._seen = Seen(
                snapshot=snapshot or before.snapshot,
                at=ended if snapshot else before.at,
                problem=problem,
                version=before.version + 1,
            )
            self._news.notify_all()
        if snapshot is not None and snapshot.commits_unread:
            return 0.0
        return min(max(self._every - (ended - began), (DUTY - 1.0) * (ended - began)), max(LONGEST, self._every))
