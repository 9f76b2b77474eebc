"""OpenVINO on a CPU, in fp32 or bf16: the fastest of the CPU engines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch

from operators.engines.contract import Network
from operators.engines.errors import EngineError, EngineUnavailableError
from operators.engines.graphs import with_graph
from operators.engines.memory import translated
from operators.engines.options import ArtifactStore, EngineDescription, EngineOptions, Precision
from operators.engines.precision import cpu_kind

_TYPES: Mapping[str, str] = {"fp32": "f32", "bf16": "bf16"}


def available(device: str) -> str | None:
    """Whether OpenVINO can be used.

    Args:
        device: `cpu`; others have engines of their own.

    Returns:
        None when it can, else the reason why not.
    """
    if device != "cpu":
        return f"runs on cpu, not on {device}"
    return None if find_spec("openvino") else "the package openvino is not installed"


def silent_openvino() -> Any:
    """The library, without the sender that reports its use.

    `import openvino` writes an identifier into the home folder and sends an event to its makers, on the first import
    and without being asked. Where the package that does so cannot be imported, OpenVINO takes an empty stand-in of its
    own; None in `sys.modules` is Python's way to say that.

    Returns:
        The module `openvino`.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the stub knows modules only
    import openvino  # noqa: PLC0415 - half a second, and other engines do without

    return openvino


@cache
def the_core() -> Any:
    """The one `openvino.Core` of this process.

    Its CPU plugin gives the thread that makes it a signal stack of its own, and puts the former one back when it goes.
    Of two cores that go in the order in which they came, the second puts back the first one's stack, which is unmapped
    by then: the next signal, a SIGTERM say, would be a segmentation fault. One that stays puts nothing back.
    """
    return silent_openvino().Core()


class OpenVinoEngine:
    """Runs the exported graph, which is kept in the store, compiled for this CPU."""

    def __init__(
        self, precision: Precision, device: str, options: EngineOptions, store: ArtifactStore | None = None
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: fp32 or bf16.
            device: `cpu`.
            options: `profile` and `threads` are used.
            store: where the exported graph is kept.
        """
        self._precision = precision
        self._device = device
        self._options = options
        self._store = store
        self._artifact: str | None = None
        self._compiled: Any = None
        self._request: Any = None

    def prepare(self, network: Network) -> None:
        """Export the network, or take its graph from the store, and compile it.

        Args:
            network: what to run.

        Raises:
            EngineUnavailableError: the library or the precision is missing.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be exported or compiled.
        """
        reason = available(self._device)
        if reason is None and self._precision not in _TYPES:
            reason = f"runs {' or '.join(_TYPES)} on a CPU, not {self._precision}"
        if reason is not None:
            raise EngineUnavailableError(f"openvino engine: {reason}")
        with translated("openvino engine: the library cannot be loaded"):
            core = the_core()

        def loader(graph: bytes) -> Any:
            with translated("openvino engine: the network cannot be compiled"):
                return core.compile_model(core.read_model(graph), "CPU", self._properties())

        obtained = with_graph(network, self._store, loader)
        self._compiled, self._artifact = obtained.loaded, obtained.digest
        with translated("openvino engine: no request can be made"):
            self._request = self._compiled.create_infer_request()

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32 on the CPU.

        Returns:
            (N, *output_shape) float32 on the CPU.

        Raises:
            EngineMemoryError: not enough memory for this batch.
            EngineError: the engine is not prepared, or OpenVINO failed.
        """
        if self._request is None:
            raise EngineError("openvino engine: run was called before prepare")
        with translated("openvino engine: running failed"):
            self._request.infer([batch.contiguous().numpy()], share_inputs=True)
            return torch.from_numpy(self._request.get_output_tensor(0).data.copy())

    def describe(self) -> EngineDescription:
        """What it is; complete after `prepare`."""
        profile = self._options.profile
        return EngineDescription(
            engine="openvino",
            version=version("openvino"),
            device=cpu_kind(),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            artifact=self._artifact,
        )

    def close(self) -> None:
        """Drop the compiled model."""
        self._request = None
        self._compiled = None

    def _properties(self) -> dict[str, Any]:
        """Settings of OpenVINO's CPU plugin."""
        return {
            "INFERENCE_PRECISION_HINT": _TYPES[self._precision],
            "INFERENCE_NUM_THREADS": self._options.threads or torch.get_num_threads(),
            "NUM_STREAMS": 1,
            # Several workers share a machine: pinned, all of them would sit on the same cores.
            "ENABLE_CPU_PINNING": False,
        }
