"""The generators with random weights, as facejobs runs them and as they were published."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from operators.engines.contract import Network
from operators.networks import FORMULATION, inference_form
from operators.networks.gfpgan.kit import CLEAN
from operators.networks.gfpgan.network import Gfpgan
from operators.networks.gpen.network import Gpen
from operators.networks.layers.modulation import ModulatedConv2d

SEED = 20


@dataclass(frozen=True)
class Generator:
    """One generator twice.

    Attributes:
        network: the form that engines run.
        published: the module as it was published: one weight and one group of channels for each face.
    """

    network: Network
    published: nn.Module


def generator(name: str, *, tiny: bool = False) -> Generator:
    """Make a generator; the same name gives the same weights.

    Args:
        name: `gfpgan-512` or `gpen-512`.
        tiny: the same layers with few channels at 32 px.

    Returns:
        Both forms, on the CPU, float32, in eval mode.

    Raises:
        ValueError: no such generator.
    """
    torch.manual_seed(SEED)
    side = 32 if tiny else 512
    style = 32 if tiny else 512
    narrow = 1 / 16 if tiny else 1.0
    module: nn.Module
    if name == "gfpgan-512":
        module = Gfpgan(side, kit=CLEAN, num_style_feat=style, narrow=narrow)
        architecture = "gfpgan_clean"
    elif name == "gpen-512":
        module = Gpen(side, side, style_dim=style, narrow=narrow)
        architecture = "gpen"
    else:
        raise ValueError(f"no generator is called {name!r}: gfpgan-512, gpen-512")
    module = module.eval().requires_grad_(False)
    network = Network(
        module=inference_form(module),
        architecture=architecture,
        arguments={"random": SEED, "side": side},
        formulation=FORMULATION,
        weights_sha256="0" * 64,
        input_shape=(3, side, side),
        output_shape=(3, side, side),
    )
    for part in module.modules():
        if isinstance(part, ModulatedConv2d):
            part.form = "grouped"
    return Generator(network, module)
