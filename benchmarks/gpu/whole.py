"""The whole-image path: CPU processes around one GPU, and how busy they keep it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.cases import Child
from benchmarks.gpu.feeder import Plan, feed
from benchmarks.gpu.networks import generator
from benchmarks.gpu.results import Row, write
from benchmarks.gpu.timing import timed
from operators.engines.contract import Engine
from operators.engines.options import EngineOptions, Profile
from operators.engines.overlap import Overlap
from operators.engines.table import BACKENDS

IDLE_SECONDS = 0.004
"""How long a batch that is not full waits for one more face."""
SILENT_SECONDS = 60.0
"""Longest that no CPU process may be heard of."""


def measure(child: Child) -> None:
    """Write one row: pace, stages, and the GPU's share.

    Args:
        child: what it is told.
    """
    case, device, tiny = child.case, child.device, child.tiny
    precision, batch = case.settings[0]
    given = generator(case.network, tiny=tiny).network
    how = "eager" if device == "cpu" else case.how
    options = EngineOptions(profile=Profile(batch, batch, batch))
    engine = BACKENDS[how].build(precision, device, options, None)  # type: ignore[index, arg-type]
    engine.prepare(given)
    side = given.input_shape[1]
    with tempfile.TemporaryDirectory(prefix="facejobs-bench-", dir=_roomy()) as folder:
        sizes = (2, 320, 240) if tiny else (8, 3600, 2400)
        plan = Plan(Path(folder), side, *sizes, child.workers)
        row = _Path(plan, engine, device, batch, child.path_seconds).run()
    write(
        child.results, {"kind": "whole", "case": case.name, "how": how, "precision": precision, "batch": batch, **row}
    )


def _roomy() -> str | None:
    """The memory disk where it is large enough, else the usual place for temporary files."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        return None
    room = os.statvfs(shared)
    return str(shared) if room.f_bavail * room.f_frsize > 4 << 30 else None


@dataclass
class _Samples:
    """What the GPU's own counter says while the path runs, in percent."""

    values: list[float] = field(default_factory=list)

    def watch(self, device: str, over: threading.Event) -> None:
        """Ask ten times a second until it is over; nothing is learnt where the library for it is missing."""
        with contextlib.suppress(ModuleNotFoundError, RuntimeError, AttributeError):
            while not over.wait(0.1):
                self.values.append(float(torch.cuda.utilization(device)))


class _Path:
    """One run of the path."""

    def __init__(self, plan: Plan, engine: Engine, device: str, batch: int, seconds: float) -> None:
        self._plan = plan
        self._engine = engine
        self._device = device
        self._batch = batch
        self._seconds = seconds
        self._memory = torch.from_numpy(plan.memory())
        context = multiprocessing.get_context("spawn")
        self._requests: Any = context.Queue()
        self._replies: list[Any] = [context.Queue() for _ in range(plan.workers)]
        self._go, self._stop = context.Event(), context.Event()
        self._processes = [
            context.Process(
                target=feed,
                args=(number, plan, self._requests, self._replies[number], self._go, self._stop),
                daemon=True,
            )
            for number in range(plan.workers)
        ]
        self._about: list[dict[str, Any]] = []
        self._under_way: deque[list[tuple[int, int]]] = deque()
        self._padding = 0

    def run(self) -> Row:
        """Start the processes, carry their faces until they are done, and add up."""
        for process in self._processes:
            process.start()
        try:
            ready = [self._get(SILENT_SECONDS) for _ in self._processes]
            alone = self._alone()
            return self._carried() | {"left_out": ready[0][2], "gpu_alone_ms_per_face": alone}
        finally:
            self._stop.set()
            for process in self._processes:
                process.join(5)
                if process.is_alive():
                    process.terminate()

    def _alone(self) -> float:
        """Milliseconds a face when the GPU has nothing else to do: the engine on faces that are there already."""
        faces = torch.rand(self._batch, *self._memory.shape[1:], device=self._device)
        return timed(lambda: self._restore(faces), self._device, 0.5).median / self._batch

    def _carried(self) -> Row:
        overlap = Overlap(self._restore, self._device)
        samples, over = _Samples(), threading.Event()
        if self._device != "cpu":
            threading.Thread(target=samples.watch, args=(self._device, over), daemon=True).start()
        begun = time.perf_counter()
        self._go.set()
        for restored in overlap(self._batches(begun)):
            self._deliver(restored)
        wall = time.perf_counter() - begun
        over.set()
        scans = sum(about["scans"] for about in self._about)
        faces = scans * self._plan.faces
        stages = {
            name: sum(about["seconds"].get(name, 0.0) for about in self._about) * 1e3 / scans
            for name in ("decode", "detect", "align", "hand over", "score", "paste", "encode", "wait")
        }
        return {
            "workers": self._plan.workers,
            "scan": f"{self._plan.width} x {self._plan.height}, {self._plan.faces} faces",
            "scans": scans,
            "seconds": wall,
            "scans_per_second": scans / wall,
            "faces_per_second": faces / wall,
            "stages_ms_per_scan": stages,
            "gpu_busy": overlap.busy_ms / 1e3 / wall if self._device != "cpu" else None,
            "gpu_ms_per_face": overlap.busy_ms / (faces + self._padding) if self._device != "cpu" else None,
            "gpu_utilisation": sum(samples.values) / len(samples.values) / 100 if samples.values else None,
            "cpu_ms_per_face": sum(ms for name, ms in stages.items() if name != "wait") / self._plan.faces,
            "padded_share": self._padding / (faces + self._padding),
        }

    def _restore(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, S, S, 3) in [0, 1] to the same, on the device."""
        with torch.no_grad():
            made = self._engine.run(faces.permute(0, 3, 1, 2).contiguous() * 2 - 1)
            return ((made + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).contiguous()

    def _batches(self, begun: float) -> Iterator[torch.Tensor | None]:
        """Faces as they come, in batches of one size; None when none has come for a while."""
        waiting: list[tuple[int, int]] = []
        heard = time.perf_counter()
        while len(self._about) < self._plan.workers:
            if time.perf_counter() - begun > self._seconds:
                self._stop.set()
            message = self._try_get(IDLE_SECONDS)
            if message is None:
                if time.perf_counter() - heard > SILENT_SECONDS:
                    raise RuntimeError("no CPU process has been heard of for a minute")
                if waiting and not self._under_way:
                    yield self._gathered(waiting)
                    waiting = []
                yield None
                continue
            heard = time.perf_counter()
            if message[0] == "done":
                self._about.append(message[2])
                continue
            waiting.append((message[1], message[2]))
            if len(waiting) == self._batch:
                yield self._gathered(waiting)
                waiting = []

    def _gathered(self, waiting: list[tuple[int, int]]) -> torch.Tensor:
        """Copy the faces together, zeros behind them."""
        self._under_way.append(waiting)
        self._padding += self._batch - len(waiting)
        shape = (self._batch, *self._memory.shape[1:])
        faces = torch.empty(shape, pin_memory=self._device != "cpu")
        for row, (_, place) in enumerate(waiting):
            faces[row] = self._memory[place]
        faces[len(waiting) :] = 0
        return faces

    def _deliver(self, restored: torch.Tensor) -> None:
        """Put the results where the crops were, and tell the processes that wait for them."""
        places = self._under_way.popleft()
        by_process: dict[int, list[int]] = {}
        for row, (process, place) in enumerate(places):
            self._memory[place] = restored[row]
            by_process.setdefault(process, []).append(place)
        for process, done in by_process.items():
            self._replies[process].put(done)

    def _get(self, seconds: float) -> Any:
        """A message, waited for."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            message = self._try_get(0.5)
            if message is not None:
                return message
        raise RuntimeError(f"no CPU process answered within {seconds:.0f} s")

    def _try_get(self, seconds: float) -> Any:
        """A message if one comes in time; a process that died ends the run."""
        try:
            return self._requests.get(timeout=seconds)
        except queue.Empty:
            dead = [process.exitcode for process in self._processes if process.exitcode not in (None, 0)]
            if dead:
                raise RuntimeError(f"a CPU process ended with {dead[0]}") from None
            return None
