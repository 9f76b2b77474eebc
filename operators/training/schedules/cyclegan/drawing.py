"""CycleGAN's four networks, with weights as the authors' code draws them."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from operators.networks.cyclegan.network import CycleGan
from operators.training.discriminators.patch import PatchDiscriminator
from operators.training.schedules.cyclegan.options import Network

Module = TypeVar("Module", bound=nn.Module)

_DEVIATION = 0.02
_COLOURS = 3


def generator(network: Network) -> CycleGan:
    """A ResNet generator of one direction; draws from torch's generator."""
    made = CycleGan(_COLOURS, _COLOURS, ngf=network.features, n_blocks=network.blocks, padding=network.padding)
    return _initialised(made)


def discriminator(network: Network) -> PatchDiscriminator:
    """A discriminator of one domain's patches; draws likewise."""
    return _initialised(PatchDiscriminator(_COLOURS, network.judge_features, network.judge_layers, "instance"))


def _initialised(module: Module) -> Module:
    """Weights from N(0, 0.02), and biases of 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, _DEVIATION)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
