"""ONNX Runtime on a CPU, in fp32: it has no bf16 convolutions there."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch

from operators.engines.contract import Network
from operators.engines.errors import EngineError, EngineUnavailableError
from operators.engines.export import INPUT, OUTPUT
from operators.engines.graphs import with_graph
from operators.engines.memory import translated
from operators.engines.options import ArtifactStore, EngineDescription, EngineOptions, Precision
from operators.engines.precision import cpu_kind
from operators.telemetry import silent_onnxruntime


def available(device: str) -> str | None:
    """Whether ONNX Runtime can be used.

    Args:
        device: `cpu`; others have engines of their own.

    Returns:
        None when it can, else the reason why not.
    """
    if device != "cpu":
        return f"runs on cpu, not on {device}"
    return None if find_spec("onnxruntime") else "the package onnxruntime is not installed"


class OnnxRuntimeEngine:
    """Runs the exported graph in one session."""

    def __init__(
        self, precision: Precision, device: str, options: EngineOptions, store: ArtifactStore | None = None
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: fp32.
            device: `cpu`.
            options: `profile` and `threads` are used.
            store: where the exported graph is kept.
        """
        self._precision = precision
        self._device = device
        self._options = options
        self._store = store
        self._artifact: str | None = None
        self._session: Any = None

    def prepare(self, network: Network) -> None:
        """Export the network, or take its graph from the store, and open a session.

        Args:
            network: what to run.

        Raises:
            EngineUnavailableError: another precision than fp32, or the library is missing.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be exported, or ONNX Runtime cannot run it.
        """
        reason = available(self._device)
        if reason is None and self._precision != "fp32":
            reason = f"runs fp32 on a CPU, not {self._precision}"
        if reason is not None:
            raise EngineUnavailableError(f"onnxruntime engine: {reason}")
        onnxruntime = silent_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._options.threads or torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3  # errors; they are raised as well
        # Several workers share a machine: a thread that waits is to sleep.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")

        def loader(graph: bytes) -> Any:
            with translated("onnxruntime engine: the session cannot be made"):
                return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

        obtained = with_graph(network, self._store, loader)
        self._session, self._artifact = obtained.loaded, obtained.digest

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32 on the CPU.

        Returns:
            (N, *output_shape) float32 on the CPU.

        Raises:
            EngineMemoryError: not enough memory for this batch.
            EngineError: the engine is not prepared, or ONNX Runtime failed.
        """
        if self._session is None:
            raise EngineError("onnxruntime engine: run was called before prepare")
        with translated("onnxruntime engine: running failed"):
            outputs = self._session.run([OUTPUT], {INPUT: batch.contiguous().numpy()})
            return torch.from_numpy(outputs[0])

    def describe(self) -> EngineDescription:
        """What it is."""
        profile = self._options.profile
        return EngineDescription(
            engine="onnxruntime",
            version=version("onnxruntime"),
            device=cpu_kind(),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            artifact=self._artifact,
        )

    def close(self) -> None:
        """Drop the session."""
        self._session = None
