"""Processes that make pairs ahead of the one that trains; batches come in order, whoever made them."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from numpy.typing import NDArray

from operators.training.samples import FacePairs

_AHEAD = 2
"""Batches for each process that may be ready or in the making."""

_pairs: FacePairs | None = None
_memory: dict[str, SharedMemory] = {}


class Crew:
    """Makes batches of pairs in other processes.

    Args:
        pairs: what makes a pair of a number.
        batch: pairs of a batch.
        first: number of the first batch, where a run goes on.
        workers: processes; 0 makes them in this one.
    """

    def __init__(self, pairs: FacePairs, batch: int, first: int = 0, workers: int = 0) -> None:
        self._pairs = pairs
        self._batch = batch
        self._first = first
        self._workers = workers

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Batches without end, each (2, N, S, S, 3) uint8, degraded first; one is valid until the next is asked for."""
        if self._workers == 0:
            number = self._first
            while True:
                yield self._pairs.batch(self._numbers(number))
                number += 1
        yield from self._parallel()

    def _numbers(self, batch: int) -> range:
        return range(batch * self._batch, (batch + 1) * self._batch)

    def _parallel(self) -> Iterator[NDArray[np.uint8]]:
        shape = (2, self._batch, self._pairs.size, self._pairs.size, 3)
        slots = [SharedMemory(create=True, size=int(np.prod(shape))) for _ in range(_AHEAD * self._workers)]
        pool = ProcessPoolExecutor(
            self._workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._pairs,)
        )
        waiting: deque[tuple[SharedMemory, Future[None]]] = deque()
        number = self._first
        try:
            for slot in slots:
                waiting.append((slot, pool.submit(_fill, slot.name, self._numbers(number), shape)))
                number += 1
            while True:
                slot, done = waiting.popleft()
                done.result()
                batch: NDArray[np.uint8] = np.ndarray(shape, np.uint8, slot.buf)
                yield batch
                del batch
                waiting.append((slot, pool.submit(_fill, slot.name, self._numbers(number), shape)))
                number += 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for slot in slots:
                slot.unlink()


def _begin(pairs: FacePairs) -> None:
    global _pairs  # noqa: PLW0603  # a pool's process has no other place for what it is given once
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    _pairs = pairs


def _fill(name: str, numbers: range, shape: tuple[int, ...]) -> None:
    assert _pairs is not None
    memory = _memory.get(name)
    if memory is None:
        memory = _memory[name] = SharedMemory(name)
    np.ndarray(shape, np.uint8, memory.buf)[:] = _pairs.batch(numbers)
