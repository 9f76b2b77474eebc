"""A step of training as one CUDA graph: hundreds of small kernels for the price of one launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], dict[str, Tensor]]


class Captured:
    """Runs a step as it is on a CPU, and as a CUDA graph on a GPU.

    The step has to be free of anything that asks the GPU for a number, and its optimisers capturable.

    Args:
        step: of degraded and true pictures; gives numbers by name.
        before: called before the step is recorded for the last time, to drop gradients.
    """

    WARM = 3

    def __init__(self, step: Step, before: Callable[[], None]) -> None:
        self._step = step
        self._before = before
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: Sequence[Tensor] = ()
        self._result: dict[str, Tensor] = {}
        self._runs = 0

    def __call__(self, degraded: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """One step; on a GPU the numbers are valid until the next."""
        if degraded.device.type != "cuda":
            return self._step(degraded, truth)
        if self._graph is None:
            self._runs += 1
            if self._runs <= self.WARM:
                stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's stubs say so
                stream.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(stream):
                    result = self._step(degraded, truth)
                torch.cuda.current_stream().wait_stream(stream)
                return result
            self._record(degraded, truth)
        for place, pictures in zip(self._given, (degraded, truth), strict=True):
            place.copy_(pictures)
        assert self._graph is not None
        self._graph.replay()
        return self._result

    def _record(self, degraded: Tensor, truth: Tensor) -> None:
        self._given = (degraded.clone(), truth.clone())
        self._before()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._result = self._step(*self._given)
        self._graph = graph
