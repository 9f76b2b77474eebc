"""Processes that make pairs when told to, all at once, and say when they began and ended."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

from benchmarks.pairs import ours
from benchmarks.pairs.plain import RECIPES

Maker = Literal["plain", "ours"]


@dataclass(frozen=True)
class Work:
    """Pairs to make: `count` of a recipe from the `first` variant on."""

    recipe: str
    first: int
    count: int


def photograph(side: int) -> NDArray[np.uint8]:
    """(side, side, 3) uint8 RGB: the portrait of Eileen Collins that scikit-image carries with it (NASA)."""
    return np.ascontiguousarray(cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def make(maker: Maker, sample: NDArray[np.uint8], work: Work) -> None:
    """Make the pairs and drop them."""
    if maker == "plain":
        np.random.seed(work.first)
        for _ in range(work.count):
            RECIPES[work.recipe](sample)
        return
    for variant in range(work.first, work.first + work.count):
        ours.make(work.recipe, sample, variant)


def _serve(connection: Connection, maker: Maker, side: int) -> None:
    cv2.setNumThreads(1)
    sample = photograph(side)
    while work := connection.recv():
        begun, used = time.perf_counter(), time.process_time()
        make(maker, sample, work)
        connection.send((begun, time.perf_counter(), time.process_time() - used))


@dataclass(frozen=True)
class Spent:
    """What some work took.

    Attributes:
        seconds: from the first process that began to the last that ended.
        cpu: processor time of all together, which others on the machine change less.
    """

    seconds: float
    cpu: float


Do = Callable[[Work, int], Spent]
"""Has so many processes do the same work, each all of it."""


@contextmanager
def crew(maker: Maker, processes: int, side: int) -> Iterator[Do]:
    """Processes of their own, each with one thread; they sleep until they are given work.

    Args:
        maker: which implementation.
        processes: how many there are.
        side: of the photograph, pixels.
    """
    context = multiprocessing.get_context("spawn")
    lines: list[Connection] = []
    running = []
    for _ in range(processes):
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, maker, side), daemon=True)
        process.start()
        # With this end left open here, a worker that died would be waited for without an end.
        there.close()
        running.append(process)
        lines.append(here)
    try:
        yield lambda work, count: _done(lines[:count], work)
    finally:
        for line, process in zip(lines, running, strict=True):
            if process.is_alive():
                line.send(None)
            process.join()


def _done(lines: Sequence[Connection], work: Work) -> Spent:
    for line in lines:
        line.send(work)
    spans: list[tuple[float, float, float]] = [line.recv() for line in lines]
    seconds = max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans)
    return Spent(seconds, sum(cpu for *_, cpu in spans))
