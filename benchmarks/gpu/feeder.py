"""One CPU process of the whole-image path: it reads scans, hands their faces over, and writes what came back.

Faces pass through a file that every process maps, since at the pace of a GPU they are gigabytes a second. It needs no
torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.codecs import codec
from benchmarks.gpu.scans import draw
from benchmarks.gpu.stages import Face, Stages, stages

AHEAD = 2
"""Scans whose faces are away while the next one is read."""
DIFFERENT = 3
"""Different scans of each process; they are drawn before the clock starts."""


@dataclass(frozen=True)
class Plan:
    """The path's sizes; picklable.

    Attributes:
        folder: with the mapped file.
        side: of a crop.
        faces: on each scan.
        width: of a scan.
        height: of a scan.
        workers: processes.
    """

    folder: Path
    side: int
    faces: int
    width: int
    height: int
    workers: int

    @property
    def slots(self) -> int:
        """Faces that one process may have away: it never waits for a place while others wait for it."""
        return self.faces * (AHEAD + 1)

    def memory(self) -> NDArray[np.float32]:
        """Places of all processes, (workers * slots, S, S, 3) float32: crops on the way there, results back."""
        shape = (self.workers * self.slots, self.side, self.side, 3)
        path = self.folder / "faces"
        return np.memmap(path, np.float32, "r+" if path.exists() else "w+", shape=shape)


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun


@dataclass
class _Away:
    """A scan whose faces are being restored.

    Attributes:
        image: decoded.
        data: its file.
        faces: on it.
        places: of each face in the mapped memory.
        missing: places that have not come back.
    """

    image: Any
    data: bytes
    faces: list[Face]
    places: list[int]
    missing: set[int]


def feed(number: int, plan: Plan, requests: Any, replies: Any, go: Any, stop: Any) -> None:
    """The process: until it is stopped, scan after scan; then what is still away.

    Args:
        number: of the process, from 0.
        plan: sizes.
        requests: queue to the GPU's process: ("ready", number), ("face", number, place), ("done", number, about).
        replies: queue of lists of places whose faces have come back.
        go: event that starts the clock.
        stop: event that ends it.
    """
    _one_thread()
    own = stages()
    scans = [draw(number * DIFFERENT + index, plan.width, plan.height, plan.faces) for index in range(DIFFERENT)]
    files = [(codec().write(scan.pixels), scan.landmarks) for scan in scans]
    memory = plan.memory()
    clock, away, free = Clock(), deque[_Away](), deque(range(number * plan.slots, (number + 1) * plan.slots))
    finished = 0
    requests.put(("ready", number, own.left_out))
    go.wait()
    while not stop.is_set():
        data, landmarks = files[finished % DIFFERENT]
        away.append(_begin(own, data, landmarks, plan, memory, free, clock))
        for place in away[-1].places:
            requests.put(("face", number, place))
        if len(away) > AHEAD:
            _end(own, away, memory, free, replies, clock)
            finished += 1
    while away:
        _end(own, away, memory, free, replies, clock)
        finished += 1
    requests.put(("done", number, {"scans": finished, "seconds": dict(clock.seconds)}))


def _begin(
    own: Stages,
    data: bytes,
    landmarks: tuple[NDArray[np.float64], ...],
    plan: Plan,
    memory: NDArray[np.float32],
    free: deque[int],
    clock: Clock,
) -> _Away:
    with clock.stage("decode"):
        image = own.decode(data)
    with clock.stage("detect"):
        own.detect(image)
    faces, places = [], []
    for points in landmarks:
        with clock.stage("align"):
            faces.append(own.align(image, points, plan.side))
        with clock.stage("hand over"):
            places.append(free.popleft())
            memory[places[-1]] = faces[-1].crop
    return _Away(image, data, faces, places, set(places))


def _end(
    own: Stages,
    away: deque[_Away],
    memory: NDArray[np.float32],
    free: deque[int],
    replies: Any,
    clock: Clock,
) -> None:
    first = away[0]
    with clock.stage("wait"):
        while first.missing:
            back = set(replies.get())
            for one in away:
                one.missing -= back
    with clock.stage("hand over"):
        restored = [np.array(memory[place]) for place in first.places]
    free.extend(first.places)
    for face, made in zip(first.faces, restored, strict=True):
        with clock.stage("score"):
            own.score(face, made)
    with clock.stage("paste"):
        own.paste(first.image, list(zip(first.faces, restored, strict=True)))
    with clock.stage("encode"):
        own.encode(first.image, first.data)
    away.popleft()


def _one_thread() -> None:
    """Every process of the path is one core."""
    if importlib.util.find_spec("threadpoolctl") is not None:
        importlib.import_module("threadpoolctl").threadpool_limits(limits=1)
