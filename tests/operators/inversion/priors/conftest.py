"""Tiny generators with random weights as priors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch

from operators import networks
from operators.inversion.priors.choose import prior_of
from operators.inversion.priors.contract import Prior

ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "pggan": ("pggan", {"resolution": 32, "z_space_dim": 24, "fmaps_base": 128, "fmaps_max": 12}),
    "pggan-fused": (
        "pggan",
        {"resolution": 16, "z_space_dim": 16, "fmaps_base": 64, "fmaps_max": 8, "fused_scale": True},
    ),
    "pggan-lod": ("pggan", {"resolution": 32, "z_space_dim": 24, "fmaps_base": 128, "fmaps_max": 12, "lod": 1.0}),
    "stylegan2": (
        "stylegan2",
        {"resolution": 32, "style_dim": 24, "n_mlp": 3, "narrow": 0.02, "stored_noise": True, "latent_avg": True},
    ),
    "stylegan2-beside": (
        "stylegan2",
        {"resolution": 16, "style_dim": 16, "n_mlp": 2, "narrow": 0.02, "stored_noise": True, "isconcat": True},
    ),
    "mobilestylegan": ("mobilestylegan", {"style_dim": 16, "n_mlp": 2, "channels": [16, 16, 8, 8]}),
}
NAMES = tuple(ARGUMENTS)


@cache
def module_of(name: str) -> torch.nn.Module:
    """A tiny network, gone through a state dict as a checkpoint would."""
    architecture, arguments = ARGUMENTS[name]
    torch.manual_seed(sum(map(ord, name)))
    made = networks.build(architecture, arguments)
    with torch.no_grad():
        for key, tensor in made.state_dict().items():
            plain = tensor.dim() == 1 or key.endswith("bias")
            if plain and not key.endswith("modulation.bias"):
                tensor.normal_(0, 0.1)
    return networks.from_state_dict(made.state_dict())


@pytest.fixture(params=NAMES)
def prior(request: pytest.FixtureRequest) -> Prior:
    return prior_of(module_of(request.param))


@pytest.fixture(params=[name for name in NAMES if not name.startswith("pggan")])
def styled(request: pytest.FixtureRequest) -> Prior:
    """One with a mapping network."""
    return prior_of(module_of(request.param))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
