"""Batches on their way to a GPU and back while it computes the one between.

A batch of eight faces at 512 px is 25 MB each way, and that way takes a good part of the time of its computation.
Copies from and to page-locked memory run beside the kernels, on streams of their own, so that only the first and the
last of them are waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch

Run = Callable[[torch.Tensor], torch.Tensor]

DEPTH = 2
"""Batches under way: one computes, one travels."""


@dataclass
class _Flight:
    """A batch under way.

    Attributes:
        result: its output in page-locked memory, whole once `landed` has happened.
        landed: end of the copy back.
        begun: start of its computation.
        ended: end of its computation.
    """

    result: torch.Tensor
    landed: torch.cuda.Event
    begun: torch.cuda.Event
    ended: torch.cuda.Event


class Overlap:
    """Runs batches one after the other with their copies beside.

    Attributes:
        busy_ms: time the GPU spent computing so far, in milliseconds; 0 on a CPU.
    """

    def __init__(self, run: Run, device: str, depth: int = DEPTH) -> None:
        """Make the streams.

        Args:
            run: the network on the device, launching on the current stream, such as an engine's `run`.
            device: `cpu`, `cuda` or `cuda:N`; on a CPU batches are simply run.
            depth: batches under way at most.
        """
        self.busy_ms = 0.0
        self._run = run
        self._device = torch.device(device)
        self._depth = depth
        if self._device.type == "cuda":
            self._inward, self._compute, self._outward = [
                torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
                for _ in range(3)
            ]

    def __call__(self, batches: Iterable[torch.Tensor | None]) -> Iterator[torch.Tensor]:
        """Run every batch.

        Args:
            batches: each (N, ...) float32 on the CPU, not to be changed until its result is there; None says that the
                next one will be long in coming, so that what is under way is finished first.

        Yields:
            The results in order, float32 on the CPU, memory of their own. From a GPU it is page-locked: copy it, or
            drop it soon.

        Raises:
            EngineMemoryError: as `run` raises it; results of earlier batches that were still under way are lost.
            EngineError: likewise.
        """
        if self._device.type != "cuda":
            yield from (self._run(batch) for batch in batches if batch is not None)
            return
        flights: deque[_Flight] = deque()
        try:
            for batch in batches:
                if batch is not None:
                    flights.append(self._launch(batch))
                while flights and (batch is None or len(flights) >= self._depth):
                    yield self._land(flights.popleft())
            while flights:
                yield self._land(flights.popleft())
        finally:
            torch.cuda.synchronize(self._device)  # nothing may still read or write memory that is about to go

    def _launch(self, batch: torch.Tensor) -> _Flight:
        """Queue the copy there, the run, and the copy back; wait for none of them."""
        begun, ended, landed = [
            torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            for _ in range(3)
        ]
        with torch.cuda.stream(self._inward):
            given = batch.contiguous().pin_memory().to(self._device, non_blocking=True)
        self._compute.wait_stream(self._inward)
        with torch.cuda.stream(self._compute):
            given.record_stream(self._compute)
            begun.record()
            computed = self._run(given)
            ended.record()
        self._outward.wait_stream(self._compute)
        with torch.cuda.stream(self._outward):
            computed.record_stream(self._outward)
            result = torch.empty(computed.shape, dtype=computed.dtype, pin_memory=True)
            result.copy_(computed, non_blocking=True)
            landed.record()
        return _Flight(result, landed, begun, ended)

    def _land(self, flight: _Flight) -> torch.Tensor:
        flight.landed.synchronize()
        self.busy_ms += flight.begun.elapsed_time(flight.ended)
        return flight.result
