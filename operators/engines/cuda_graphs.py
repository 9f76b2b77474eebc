"""One CUDA graph a batch size: a whole network is launched at once, where the CPU would lag behind its many kernels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch

from operators.engines.memory import is_memory_error
from operators.engines.options import Profile

logger = logging.getLogger(__name__)

WARM_UPS = 3
"""Runs before a capture: libraries load kernels, choose algorithms and take workspace in the first ones, which must not
happen while a graph is captured (PyTorch documentation, "CUDA Graphs")."""

Call = Callable[[torch.Tensor], torch.Tensor]
Pool = Any
"""Handle of a memory pool; torch keeps its type to itself."""


def buckets(profile: Profile) -> tuple[int, ...]:
    """Batch sizes that are compiled or captured; a batch between two is padded to the larger one.

    Args:
        profile: batch sizes.

    Returns:
        `best` and its halves down to `least`, and `most`; ascending. The halves are what is left of a batch that memory
        was too small for.
    """
    sizes = {profile.least, profile.best, profile.most}
    size = profile.best
    while size > profile.least:
        sizes.add(size)
        size //= 2
    return tuple(sorted(size for size in sizes if profile.least <= size <= profile.most))


def padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """A batch with zeros behind it.

    Args:
        batch: (N, ...), N <= size.
        size: wanted.

    Returns:
        (size, ...), the batch itself when it has that size.
    """
    missing = size - batch.shape[0]
    if missing == 0:
        return batch
    return torch.cat((batch, batch.new_zeros((missing, *batch.shape[1:]))))


class Direct:
    """A call as it is, for one batch size; with the interface of `Captured`."""

    def __init__(self, call: Call) -> None:
        """Wrap it.

        Args:
            call: the network.
        """
        self._call = call

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Run the network.

        Args:
            batch: (N, ...) float32 on the device.

        Returns:
            (N, ...) float32, memory of its own.
        """
        return self._call(batch).clone(memory_format=torch.contiguous_format)

    def free(self) -> None:
        """Nothing is held."""


class Captured:
    """A call captured as a CUDA graph, with its static input and output."""

    def __init__(
        self, call: Call, shape: tuple[int, ...], device: torch.device, pool: Pool, stream: torch.cuda.Stream
    ) -> None:
        """Warm up and capture.

        Args:
            call: the network; launches on the current stream, and allocates with torch or not at all.
            shape: of the input, batch first.
            device: a CUDA device.
            pool: memory pool shared with graphs that never run at the same time, from `torch.cuda.graph_pool_handle`.
            stream: to capture on; like the pool, it is shared with those graphs alone, for cuBLAS keeps a workspace for
                each stream, and graphs captured on one stream work in the same one.
        """
        self._input = torch.zeros(shape, dtype=torch.float32, device=device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                call(self._input)
        torch.cuda.current_stream(device).wait_stream(stream)
        torch.cuda.synchronize(device)
        self._graph = torch.cuda.CUDAGraph()
        # Only this thread is held to what a capture allows: other threads of a worker may use the GPU meanwhile.
        with torch.cuda.graph(self._graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            self._output = call(self._input)

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Copy the batch in, replay, copy the result out.

        Args:
            batch: (N, ...) float32 on the device, of the captured shape.

        Returns:
            (N, ...) float32, memory of its own.
        """
        self._input.copy_(batch)
        self._graph.replay()
        # The graph's output is overwritten by the next replay, of this graph or of another in the pool.
        return self._output.clone(memory_format=torch.contiguous_format)

    def free(self) -> None:
        """Give the graph's memory back to its pool."""
        self._graph.reset()


class Bucketed:
    """A network run at fixed batch sizes, each made ready when it is first met."""

    def __init__(self, call_for: Callable[[int], Call], profile: Profile, device: torch.device, graphs: bool) -> None:
        """Remember how; nothing runs yet.

        Args:
            call_for: the network as it is to be called at one batch size.
            profile: batch sizes.
            device: where the network runs.
            graphs: capture CUDA graphs.
        """
        self._call_for = call_for
        self._profile = profile
        self._device = device
        self._graphs = graphs
        self._pool: Pool | None = None
        self._stream: torch.cuda.Stream | None = None
        self._ended: torch.cuda.Event | None = None
        self._ready: dict[int, Direct | Captured] = {}

    @property
    def captured(self) -> Mapping[int, bool]:
        """Batch sizes that are ready, with whether each is a graph."""
        return MappingProxyType({size: isinstance(call, Captured) for size, call in self._ready.items()})

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Pad to the next batch size, run, cut.

        Args:
            batch: (N, ...) float32 on any device, 1 <= N <= profile.most.

        Returns:
            (N, ...) float32 on the network's device, contiguous, memory of its own.

        Raises:
            ValueError: N is outside the profile.
        """
        count = batch.shape[0]
        if not 1 <= count <= self._profile.most:
            raise ValueError(f"a batch of {count} is given, 1 to {self._profile.most} are possible")
        size = next(size for size in buckets(self._profile) if size >= count)
        given = padded(batch.to(device=self._device, dtype=torch.float32).contiguous(), size)
        result = self._ordered(self._at(size, given.shape), given)
        return result if count == size else result[:count].clone()

    def free(self) -> None:
        """Drop every batch size and the memory behind it."""
        for call in self._ready.values():
            call.free()
        self._ready.clear()
        self._pool = self._stream = None

    def _ordered(self, call: Direct | Captured, given: torch.Tensor) -> torch.Tensor:
        """Call after the call before has ended, though that was on another stream: both use the same buffers."""
        if self._device.type != "cuda":
            return call(given)
        stream = torch.cuda.current_stream(self._device)
        if self._ended is not None:
            stream.wait_event(self._ended)
        result = call(given)
        self._ended = stream.record_event()
        return result

    def _at(self, size: int, shape: torch.Size) -> Direct | Captured:
        if size not in self._ready:
            call = self._call_for(size)
            self._ready[size] = (self._capture(call, tuple(shape)) if self._graphs else None) or Direct(call)
        return self._ready[size]

    def _capture(self, call: Call, shape: tuple[int, ...]) -> Captured | None:
        """The call as a graph; None when it cannot be captured, and then it is launched piece by piece."""
        if self._stream is None:
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            self._pool = torch.cuda.graph_pool_handle()
        try:
            return Captured(call, shape, self._device, self._pool, self._stream)
        except RuntimeError as error:
            if is_memory_error(error):
                raise
            logger.warning("batch %d is not captured as a CUDA graph, which costs time: %s", shape[0], error)
            return None
