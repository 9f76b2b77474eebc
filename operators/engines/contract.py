"""The contract that every engine keeps, and what describes a network to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import nn

from operators.engines.options import EngineDescription


@dataclass(frozen=True)
class Network:
    """A network ready to be executed, with all that identifies it.

    Attributes:
        module: inference form, eval mode, float32, on the CPU; takes (N, *input_shape), returns (N, *output_shape).
        architecture: as `operators.networks.recognise` names it.
        arguments: of the architecture, as recognised; JSON values.
        formulation: name and version of the way the graph is written; another graph has another name.
        weights_sha256: content hash of the checkpoint file.
        variant: what was baked into the module beside the weights, such as `sft_strength`; JSON values.
        input_shape: without the batch, such as (3, 512, 512).
        output_shape: without the batch.
    """

    module: nn.Module
    architecture: str
    arguments: Mapping[str, Any]
    formulation: str
    weights_sha256: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    variant: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class Engine(Protocol):
    """Executes one network in one precision on one device. Not thread-safe."""

    def prepare(self, network: Network) -> None:
        """Compile the network, or take the compiled artefact from the store.

        Raises:
            EngineUnavailableError: this machine lacks what it needs.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be compiled.
        """
        ...

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32, contiguous, on the CPU or on the engine's device; 1 <= N <= profile.most.

        Returns:
            (N, *output_shape) float32 on the engine's device, not aliased by later calls.

        Raises:
            EngineMemoryError: not enough memory for this batch; a smaller one may pass.
            EngineError: anything else; the engine is not to be used again.
        """
        ...

    def describe(self) -> EngineDescription:
        """What it is; complete after `prepare`."""
        ...

    def close(self) -> None:
        """Free device memory. A closed engine can be prepared again."""
        ...
