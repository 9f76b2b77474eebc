"""The engines there are, in one explicit table; a backend's module is imported only when the backend is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from operators.engines.options import ArtifactStore, EngineName, EngineOptions, Precision

if TYPE_CHECKING:
    from operators.engines.contract import Engine

DeviceKind = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Backend:
    """One engine of the table.

    Attributes:
        name: as in the job file.
        devices: kinds of device it runs on.
        precisions: arithmetic it offers, on any of its devices.
        module: where its class and its function `available` are.
        engine: name of the class.
        flavour: further named arguments of the class and of `available`.
    """

    name: EngineName
    devices: tuple[DeviceKind, ...]
    precisions: tuple[Precision, ...]
    module: str
    engine: str
    flavour: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def available(self, device: str) -> str | None:
        """Whether the engine can be used here; cheap, nothing is compiled.

        Args:
            device: `cpu`, `cuda` or `cuda:N`.

        Returns:
            None when it can, else the reason why not, as a phrase for messages.
        """
        kind = device.partition(":")[0]
        if kind not in self.devices:
            return f"runs on {' and '.join(self.devices)}, not on {device}"
        reason: str | None = importlib.import_module(self.module).available(device, **self.flavour)
        return reason

    def build(self, precision: Precision, device: str, options: EngineOptions, store: ArtifactStore | None) -> Engine:
        """Make the engine; nothing is loaded or compiled before its `prepare`.

        Args:
            precision: one of `precisions`.
            device: `cpu`, `cuda` or `cuda:N`.
            options: profile and threads are taken from here.
            store: where compiled artefacts are kept; None compiles anew each time.

        Returns:
            The engine.
        """
        made: Engine = getattr(importlib.import_module(self.module), self.engine)(
            precision, device, options, store, **self.flavour
        )
        return made


_ALL: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
_HERE = "operators.engines"

BACKENDS: Mapping[EngineName, Backend] = MappingProxyType(
    {
        "tensorrt": Backend(
            "tensorrt", ("cuda",), _ALL, f"{_HERE}.tensorrt.engine", "TensorRTEngine", {"flavour": "tensorrt"}
        ),
        "tensorrt_rtx": Backend(
            "tensorrt_rtx", ("cuda",), _ALL, f"{_HERE}.tensorrt.engine", "TensorRTEngine", {"flavour": "tensorrt_rtx"}
        ),
        "aot": Backend("aot", ("cuda",), _ALL, f"{_HERE}.aot", "AotEngine"),
        "compile": Backend("compile", ("cuda",), _ALL, f"{_HERE}.compile", "CompileEngine"),
        "openvino": Backend("openvino", ("cpu",), ("fp32", "bf16"), f"{_HERE}.openvino", "OpenVinoEngine"),
        "onnxruntime": Backend("onnxruntime", ("cpu",), ("fp32",), f"{_HERE}.onnxruntime", "OnnxRuntimeEngine"),
        "eager": Backend("eager", ("cpu", "cuda"), _ALL, f"{_HERE}.eager", "EagerEngine"),
    }
)

ORDER: Mapping[DeviceKind, tuple[EngineName, ...]] = MappingProxyType(
    {
        "cuda": ("tensorrt", "tensorrt_rtx", "aot", "compile", "eager"),
        "cpu": ("openvino", "onnxruntime", "eager"),
    }
)
"""What `engine: auto` tries on each kind of device, fastest first. Eager runs wherever torch does, so it comes last."""
