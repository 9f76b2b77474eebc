"""RRDBNet as it is executed: the residual factor of the dense blocks multiplied into their last convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.rrdb.network import CONVOLUTIONS, DENSE, RESIDUAL, Rrdb


class FoldedDense(nn.Module):
    """Dense block: every convolution sees the block's input and all that was made before it.

    Args:
        network: to be folded.
        block: number of the block.
        dense: number of the dense block in it, from 1.
    """

    def __init__(self, network: Rrdb, block: int, dense: int) -> None:
        super().__init__()
        names = [network.names.dense(block, dense, conv) for conv in range(1, CONVOLUTIONS + 1)]
        self.growing = nn.ModuleList(_frozen(network, name, activate=True) for name in names[:-1])
        self.last = _frozen(network, names[-1], gain=RESIDUAL)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        grown = x
        for conv in self.growing:
            grown = torch.cat((grown, conv(grown)), 1)
        result: Tensor = self.last(grown)
        return result + x


class FoldedBlock(nn.Module):
    """Three dense blocks and their residual.

    Args:
        network: to be folded.
        block: number of the block.
    """

    def __init__(self, network: Rrdb, block: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(FoldedDense(network, block, dense) for dense in range(1, DENSE + 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        result: Tensor = self.dense(x)
        return result * RESIDUAL + x


class FoldedRrdb(nn.Module):
    """RRDBNet, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: Rrdb) -> None:
        super().__init__()
        names = network.names
        self.first = _frozen(network, names.first)
        self.blocks = nn.Sequential(*(FoldedBlock(network, block) for block in range(network.blocks)))
        self.body = _frozen(network, names.body(network.blocks))
        ups = [names.up(number) for number in range(1, network.ups + 1)]
        self.ups = nn.ModuleList(_frozen(network, name, activate=True) for name in ups)
        self.hr = _frozen(network, names.hr(network.ups), activate=True)
        self.last = _frozen(network, names.last(network.ups))
        self.unshuffle, self.up_factor = network.unshuffle, float(network.up_factor)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge (N, 3, H, W), any float type, to float32; arithmetic in the weights' type."""
        x = x.to(self.first.weight.dtype)
        if self.unshuffle > 1:
            x = functional.pixel_unshuffle(x, self.unshuffle)
        features: Tensor = self.first(x)
        features = features + self.body(self.blocks(features))
        for conv in self.ups:
            features = conv(functional.interpolate(features, scale_factor=self.up_factor, mode="nearest"))
        picture: Tensor = self.last(self.hr(features))
        return picture.float()


def _frozen(network: Rrdb, name: str, *, gain: float = 1.0, activate: bool = False) -> FrozenConv2d:
    conv = network.get_submodule(name)
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is not None
    return FrozenConv2d(conv.weight.detach() * gain, conv.bias.detach() * gain, padding=1, activate=activate)
