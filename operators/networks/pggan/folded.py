"""PGGAN as it is executed."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d, FrozenTransposedConv2d, constant
from operators.networks.layers.equalised import SLOPE
from operators.networks.pggan.network import Block, Pggan, unit_length, widened


class FoldedBlock(nn.Module):
    """Pixel normalisation in float32, doubling if asked for, convolution, bias, activation.

    Args:
        block: to be folded.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        scale = block.wscale.scale
        self.conv: nn.Module
        if block.conv is None:
            assert block.weight is not None
            self.conv = FrozenTransposedConv2d(widened(block.weight.detach()) * scale, padding=1)
        else:
            self.conv = FrozenConv2d(block.conv.weight.detach() * scale, padding=int(block.conv.padding[0]))
        self.bias = constant(block.wscale.bias.detach().view(1, -1, 1, 1))
        self.doubles = block.up and block.conv is not None
        self.activate = block.activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        x = unit_length(x.float()).to(x.dtype)
        y: Tensor = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.doubles else x)
        y = y.add_(self.bias)
        return functional.leaky_relu(y, SLOPE, inplace=True) if self.activate else y


class FoldedPggan(nn.Module):
    """PGGAN, frozen; levels that are left out are not kept.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: Pggan) -> None:
        super().__init__()
        names = [*(f"layer{level}" for level in range(2 * network.active)), f"output{network.active - 1}"]
        blocks = [network.get_submodule(name) for name in names]
        self.blocks = nn.Sequential(*(FoldedBlock(block) for block in blocks if isinstance(block, Block)))
        self.doublings = network.levels - network.active

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, D), any float type, to (N, 3, S, S) float32; arithmetic in the weights' type."""
        picture: Tensor = self.blocks(z[:, :, None, None].to(next(self.parameters()).dtype)).float()
        for _ in range(self.doublings):
            picture = functional.interpolate(picture, scale_factor=2.0, mode="nearest")
        return picture
