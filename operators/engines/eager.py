"""The network as torch runs it, operator by operator: the engine that is always there."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import torch
from torch import nn

from operators.engines.contract import Network
from operators.engines.errors import EngineError
from operators.engines.memory import translated
from operators.engines.options import ArtifactStore, EngineDescription, EngineOptions, Precision
from operators.engines.precision import cpu_kind

DTYPES: Mapping[Precision, torch.dtype] = MappingProxyType(
    {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
)


def available(device: str) -> str | None:
    """Whether torch can run on a device.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        None when it can, else the reason why not.
    """
    if device == "cpu":
        return None
    if not torch.cuda.is_available():
        return "torch finds no CUDA device"
    number = torch.device(device).index or 0
    count = torch.cuda.device_count()
    return None if number < count else f"{device} is asked for, and there are {count} CUDA devices"


def device_name(device: str) -> str:
    """Name of a device for records: a kind of CPU, or a GPU's name with its compute capability."""
    if device == "cpu":
        return cpu_kind()
    major, minor = torch.cuda.get_device_capability(device)
    return f"{torch.cuda.get_device_name(device)} (sm_{major}{minor})"


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Convolutions in full fp32 on a GPU, by the same algorithm each time.

    torch lets cuDNN round to TF32 by default, whose 10 bits of mantissa would make fp32 no reference, and lets it
    choose algorithms by timing or with atomic additions, whose results differ from run to run.
    """
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Run torch's CPU operators with so many threads; 0 leaves the process's own number."""
    before = torch.get_num_threads()
    if threads in (0, before):
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class EagerEngine:
    """Runs the module itself, in channels-last layout, under inference mode."""

    def __init__(
        self, precision: Precision, device: str, options: EngineOptions, store: ArtifactStore | None = None
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: arithmetic of the module.
            device: `cpu`, `cuda` or `cuda:N`.
            options: `profile` and `threads` are used.
            store: not used; nothing is compiled.
        """
        self._precision = precision
        self._device = device
        self._options = options
        self._module: nn.Module | None = None

    def prepare(self, network: Network) -> None:
        """Copy the module to device, precision and layout; the network's own module stays as it is.

        Args:
            network: what to run.

        Raises:
            EngineMemoryError: not enough memory for the copy.
            EngineError: torch cannot convert it.
        """
        with translated("eager engine: the network cannot be moved"):
            module = copy.deepcopy(network.module).eval()
            module.to(device=self._device, dtype=DTYPES[self._precision])
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub has no keyword form
            self._module = module

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32, on the CPU or on the engine's device.

        Returns:
            (N, *output_shape) float32, contiguous, on the engine's device.

        Raises:
            EngineMemoryError: not enough memory for this batch.
            EngineError: the engine is not prepared, or torch failed.
        """
        if self._module is None:
            raise EngineError("eager engine: run was called before prepare")
        with (
            translated("eager engine: running failed"),
            exact_arithmetic(),
            thread_limit(self._options.threads),
            torch.inference_mode(),
        ):
            given = batch.to(device=self._device, dtype=DTYPES[self._precision])
            if given.dim() == 4:
                given = given.contiguous(memory_format=torch.channels_last)
            result: torch.Tensor = self._module(given).float().contiguous()
        return result.clone()  # outside inference mode: a tensor that can be written to

    def describe(self) -> EngineDescription:
        """What it is."""
        profile = self._options.profile
        return EngineDescription(
            engine="eager",
            version=torch.__version__,
            device=device_name(self._device),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
        )

    def close(self) -> None:
        """Drop the copy of the module."""
        self._module = None
        if self._device != "cpu" and torch.cuda.is_available():
            torch.cuda.empty_cache()
