"""Reading several shards' listings at once while keeping their order: headers cost round trips, not computing."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

WORKERS = 8
BATCH = 256
BATCHES_AHEAD = 16
# How soon a worker that waits for room notices that nobody wants its results any more.
STOP_SECONDS = 0.2


class _Lane(Generic[T]):
    """Results of one job on their way from its thread; holds BATCH * BATCHES_AHEAD of them at most."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._queue: queue.Queue[list[T] | BaseException | None] = queue.Queue(BATCHES_AHEAD)

    def fill(self, job: Callable[[], Iterator[T]]) -> None:
        """Run a job to its end, its error or the stop; called in its thread."""
        last: BaseException | None = None
        try:
            results = job()
            while batch := list(islice(results, BATCH)):
                if not self._put(batch):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the results are wanted
            last = error
        self._put(last)

    def drain(self) -> Iterator[T]:
        """The results in order; raises what the job raised."""
        while (batch := self._queue.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            yield from batch

    def _put(self, item: list[T] | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=STOP_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def in_order(jobs: Iterable[Callable[[], Iterator[T]]], workers: int = WORKERS) -> Iterator[T]:
    """All results of the first job, then of the second, and so on, while the next jobs already run in threads.

    Memory is bounded: a job that is far ahead waits. An error is raised in the place of the job's next result, after
    those that came before it. Leaving the iterator early ends the threads.
    """
    waiting = iter(jobs)
    stop = threading.Event()
    lanes: deque[_Lane[T]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="listing") as pool:
        try:
            while True:
                for job in islice(waiting, workers - len(lanes)):
                    lane = _Lane[T](stop)
                    lanes.append(lane)
                    pool.submit(lane.fill, job)
                if not lanes:
                    return
                yield from lanes.popleft().drain()
        finally:
            stop.set()
