"""Generators of a few thousand random weights, as engines take them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from operators.engines.contract import Network
from operators.engines.options import EngineDescription, EngineOptions
from operators.networks import FORMULATION, build, inference_form

SIZE = 32
ARGUMENTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "gfpgan_clean": {"out_size": SIZE, "narrow": 1 / 16, "num_style_feat": 24, "num_mlp": 2},
        "gpen": {"in_size": SIZE, "out_size": SIZE, "narrow": 1 / 16, "style_dim": 24, "n_mlp": 2},
    }
)
GENERATORS = tuple(ARGUMENTS)


def generator(architecture: str, push: float = 1.0) -> nn.Module:
    """A trainable module; `push` multiplies every modulation, as a checkpoint with large styles would."""
    torch.manual_seed(1)
    module = build(architecture, ARGUMENTS[architecture]).eval()
    for name, parameter in module.named_parameters():
        if "modulation" in name:
            parameter.data.mul_(push)
        elif parameter.ndim <= 1 or name.endswith("bias"):
            nn.init.normal_(parameter, std=0.2)
        elif name.startswith(("conv_body", "condition_shift")):
            parameter.data.mul_(3.0)  # so that faces count for much, as in a trained network
    return module.requires_grad_(False)


def tiny_network(architecture: str = "gfpgan_clean", push: float = 1.0) -> Network:
    """(N, 3, 32, 32) to the same."""
    return network_of(inference_form(generator(architecture, push)), architecture, push=push)


def network_of(module: nn.Module, architecture: str = "planted", **variant: Any) -> Network:
    """Any module from (N, 3, 32, 32) to the same."""
    return Network(
        module=module.eval(),
        architecture=architecture,
        arguments=dict(ARGUMENTS.get(architecture, {})),
        formulation=FORMULATION,
        weights_sha256="0" * 64,
        input_shape=(3, SIZE, SIZE),
        output_shape=(3, SIZE, SIZE),
        variant=variant,
    )


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    """(count, 3, 32, 32) float32 in [-1, 1], smooth."""
    made = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=made) * 2 - 1
    return nn.functional.interpolate(coarse, size=SIZE, mode="bilinear", align_corners=False)


class Around:
    """An engine around a function of the batch, for what a real one does too seldom."""

    def __init__(self, function: Any, precision: str = "fp32", name: str = "eager") -> None:
        self.function, self.precision, self.name = function, precision, name
        self.batches: list[int] = []
        self.closed = 0
        self.network: Network | None = None

    def prepare(self, network: Network) -> None:
        self.network = network

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(batch))
        return self.function(self.network.module, batch)

    def describe(self) -> EngineDescription:
        profile = EngineOptions().profile
        return EngineDescription(self.name, "0", "cpu", self.precision, (profile.least, profile.best, profile.most))

    def close(self) -> None:
        self.closed += 1
