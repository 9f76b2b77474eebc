"""torch.compile: the network as fused kernels, compiled anew in each process."""

from __future__ import annotations

from collections.abc import Callable

import torch

from operators.engines import inductor
from operators.engines.contract import Network
from operators.engines.cuda_graphs import Bucketed, Call
from operators.engines.eager import device_name, exact_arithmetic, thread_limit
from operators.engines.errors import EngineError, EngineUnavailableError
from operators.engines.memory import translated
from operators.engines.options import ArtifactStore, EngineDescription, EngineOptions, Precision

MODE = "default"
"""Kernels as the compiler's rules choose them. The autotuning modes choose by timing, so that two processes of one job
could compute with different kernels and differ in the last bits; the aot engine keeps what it chose, and has them."""

MOST_SHAPES = 64
"""Compiled variants of the one wrapper class's code in a process: a few networks times their batch sizes."""


def available(device: str) -> str | None:
    """Whether the engine can be used.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        None when it can, else the reason why not.
    """
    return inductor.available(device)


class CompileEngine:
    """Compiles the network for one batch size after the other, as they are met; on CUDA each becomes a CUDA graph."""

    def __init__(
        self,
        precision: Precision,
        device: str,
        options: EngineOptions,
        store: ArtifactStore | None = None,
        *,
        mode: str = MODE,
        graphs: bool = True,
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: of weights and activations.
            device: `cpu`, `cuda` or `cuda:N`.
            options: `profile` and `threads` are used.
            store: not used; torch's compiler has a cache of its own.
            mode: of torch.compile; one without CUDA graphs, which are captured here.
            graphs: run as CUDA graphs on CUDA.
        """
        self._precision = precision
        self._device = device
        self._options = options
        self._mode = mode
        self._graphs = graphs and device != "cpu"
        self._sizes: Bucketed | None = None

    def prepare(self, network: Network) -> None:
        """Compile for the best batch size; other sizes are compiled when they are met.

        Args:
            network: what to run.

        Raises:
            EngineUnavailableError: no compiler, or no such device.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be compiled.
        """
        self.close()
        reason = available(self._device)
        if reason is not None:
            raise EngineUnavailableError(reason)
        with translated("compile engine: the network cannot be compiled"):
            module = inductor.compiled_form(network, self._precision, self._device)
            compiled = torch.compile(module, mode=self._mode, dynamic=False, fullgraph=True)
            device = torch.device(self._device)
            self._sizes = Bucketed(lambda _: _patient(compiled), self._options.profile, device, self._graphs)
            self.run(torch.zeros(self._options.profile.best, *network.input_shape))

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32, on the CPU or on the engine's device; 1 <= N <= profile.most.

        Returns:
            (N, *output_shape) float32 on the engine's device, not aliased by later calls.

        Raises:
            EngineMemoryError: not enough memory for this batch.
            EngineError: the engine is not prepared, or failed.
        """
        if self._sizes is None:
            raise EngineError("compile engine: run was called before prepare")
        with (
            translated("compile engine: running failed"),
            torch.no_grad(),
            exact_arithmetic(),
            thread_limit(self._options.threads),
        ):
            return self._sizes.run(batch)

    def describe(self) -> EngineDescription:
        """What it is."""
        profile = self._options.profile
        return EngineDescription(
            engine="compile",
            version=torch.__version__,
            device=device_name(self._device),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            details={"mode": self._mode, "cuda_graphs": self._graphs},
        )

    def close(self) -> None:
        """Free the graphs, the weights and torch's cached memory."""
        if self._sizes is None:
            return
        if self._device != "cpu":
            torch.cuda.synchronize(self._device)
        self._sizes.free()
        self._sizes = None
        if self._device != "cpu":
            torch.cuda.empty_cache()


def _patient(compiled: Callable[[torch.Tensor], torch.Tensor]) -> Call:
    """The compiled module with room for every batch size of every network: torch gives up after eight by default."""
    import torch._dynamo.config as settings  # noqa: PLC0415 - seconds, and only where something is compiled

    def call(batch: torch.Tensor) -> torch.Tensor:
        with settings.patch(recompile_limit=MOST_SHAPES):
            return compiled(batch)

    return call
