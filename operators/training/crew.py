"""Processes that make samples ahead of the one that trains; batches come in order, whoever made them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from math import prod
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.training.contract import Arrays, Samples, share_of

_AHEAD = 2
"""Batches for each process that may be ready or in the making."""

_samples: Samples | None = None
_memory: dict[str, SharedMemory] = {}


@dataclass(frozen=True)
class _Part:
    """Where an array of a batch lies in its memory.

    Attributes:
        name: of the array.
        shape: with the samples first.
        kind: NumPy's name of its type.
        offset: bytes.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    offset: int

    def of(self, memory: Any) -> NDArray[Any]:
        """The array itself."""
        array: NDArray[Any] = np.ndarray(self.shape, np.dtype(self.kind), memory, self.offset)
        return array


class Crew:
    """Makes one worker's share of batches of samples in other processes.

    Args:
        samples: what makes a batch of numbers.
        batch: samples of a batch over all workers.
        first: number of the first batch, where a training goes on.
        workers: processes; 0 makes them in this one.
        rank: of the worker that trains; it gets every `world`-th sample of a batch.
        world: how many train; the batch must be a multiple of it.
        offset: added to all numbers of samples, for others than before.
    """

    def __init__(
        self,
        samples: Samples,
        batch: int,
        first: int = 0,
        workers: int = 0,
        *,
        rank: int = 0,
        world: int = 1,
        offset: int = 0,
    ) -> None:
        if batch % world:
            raise ValueError(f"a batch of {batch} samples cannot be shared equally by {world} workers")
        self._samples = samples
        self._batch = batch
        self._first = first
        self._workers = workers
        self._rank = rank
        self._world = world
        self._offset = offset

    def __iter__(self) -> Generator[Arrays, None, None]:
        """Batches without end, arrays by name; one is valid until the next is asked for."""
        if self._workers == 0:
            number = self._first
            while True:
                yield self._samples.batch(self._numbers(number))
                number += 1
        yield from self._parallel()

    def _numbers(self, batch: int) -> list[int]:
        start = self._offset + batch * self._batch
        return share_of(range(start, start + self._batch), self._rank, self._world)

    def _parallel(self) -> Generator[Arrays, None, None]:
        parts, size = _laid_out(self._samples.batch(self._numbers(self._first)[:1]), self._batch // self._world)
        slots: list[SharedMemory] = []
        pool = ProcessPoolExecutor(
            self._workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._samples,)
        )
        waiting: deque[tuple[SharedMemory, Future[None]]] = deque()
        number = self._first
        try:
            for _ in range(_AHEAD * self._workers):
                slots.append(SharedMemory(create=True, size=size))
                waiting.append((slots[-1], pool.submit(_fill, slots[-1].name, self._numbers(number), parts)))
                number += 1
            while True:
                slot, done = waiting.popleft()
                done.result()
                batch: dict[str, NDArray[Any]] = {part.name: part.of(slot.buf) for part in parts}
                yield batch
                del batch
                waiting.append((slot, pool.submit(_fill, slot.name, self._numbers(number), parts)))
                number += 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for slot in slots:
                slot.unlink()


def _laid_out(batch: Mapping[str, NDArray[Any]], count: int) -> tuple[list[_Part], int]:
    """Places for the arrays of a batch of `count` samples, as those of this batch are; and how many bytes they take."""
    parts: list[_Part] = []
    offset = 0
    for name, array in batch.items():
        shape = (count, *array.shape[1:])
        parts.append(_Part(name, shape, array.dtype.str, offset))
        offset += -(-prod(shape) * array.dtype.itemsize // 64) * 64
    return parts, max(offset, 1)


def _begin(samples: Samples) -> None:
    global _samples  # noqa: PLW0603  # a pool's process has no other place for what it is given once
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    _samples = samples
    for number in (signal.SIGINT, signal.SIGTERM):
        # They are often sent to the whole group, and the one that trains still needs batches for its last step.
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """A process of a pool would wait for ever for work from one that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _fill(name: str, numbers: Sequence[int], parts: Sequence[_Part]) -> None:
    assert _samples is not None
    memory = _memory.get(name)
    if memory is None:
        memory = _memory[name] = SharedMemory(name)
    batch = _samples.batch(numbers)
    for part in parts:
        array = batch[part.name]
        if array.shape != part.shape or array.dtype.str != part.kind:
            raise ValueError(
                f"samples {numbers[0]} to {numbers[-1]}: {part.name} is {array.shape} {array.dtype}, where the first "
                f"sample had {part.shape} {np.dtype(part.kind)}"
            )
        part.of(memory.buf)[:] = array
