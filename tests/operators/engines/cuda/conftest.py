"""The generators, tiny, for tests of the engines that are made for GPUs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from operators.engines.contract import Network
from operators.networks import FORMULATION, build, inference_form

TINY = {
    "gfpgan_clean": {"out_size": 32, "num_style_feat": 32, "narrow": 1 / 16},
    "gpen": {"in_size": 32, "out_size": 32, "style_dim": 32, "narrow": 1 / 16},
}


@pytest.fixture(scope="session")
def tiny_module() -> Callable[[str], nn.Module]:
    """A generator as it is trained, by the name of its architecture; the same weights each time."""

    def make(architecture: str) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(4)
            return build(architecture, TINY[architecture]).eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def wrapped() -> Callable[..., Network]:
    """A module of 32 px as a network."""

    def make(module: nn.Module, name: str) -> Network:
        return Network(module, name, {"tiny": True}, FORMULATION, f"{len(name):064x}", (3, 32, 32), (3, 32, 32))

    return make


@pytest.fixture(scope="session")
def tiny_generator(
    tiny_module: Callable[[str], nn.Module], wrapped: Callable[[nn.Module, str], Network]
) -> Callable[[str], Network]:
    """A generator as engines run it, by the name of its architecture."""
    return lambda architecture: wrapped(inference_form(tiny_module(architecture)), architecture)


@pytest.fixture
def faces32() -> torch.Tensor:
    """Five faces' worth of noise, (5, 3, 32, 32) in [-1, 1]."""
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(9)) * 2 - 1
