"""The U-Net of pix2pix as it is executed: batch normalisation by running statistics folded, no dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenTransposedConv2d, constant
from operators.networks.folded.norms import FrozenInstanceNorm, batch_factors, batch_folded
from operators.networks.pix2pix.network import SLOPE, Level, Pix2Pix


class FoldedUp(nn.Module):
    """Doubling by a transposed convolution, and what is behind it.

    Args:
        conv: of the level.
        norm: behind it; None for none.
    """

    def __init__(self, conv: nn.ConvTranspose2d, norm: nn.Module | None) -> None:
        super().__init__()
        weight, bias = conv.weight.detach(), None if conv.bias is None else conv.bias.detach()
        self.norm: nn.Module | None = None
        if isinstance(norm, nn.InstanceNorm2d):
            self.norm = FrozenInstanceNorm(norm, weight.shape[1])
        elif isinstance(norm, nn.BatchNorm2d):
            factor, addend = batch_factors(norm)
            weight = weight * factor[None, :, None, None]
            bias = addend if bias is None else bias * factor + addend
        self.conv = FrozenTransposedConv2d(weight, padding=1)
        self.bias = None if bias is None else constant(bias.view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, 2H, 2W)."""
        y: Tensor = self.conv(x)
        if self.bias is not None:
            y = y + self.bias
        return y if self.norm is None else self.norm(y)


class FoldedLevel(nn.Module):
    """A level, frozen.

    Args:
        level: to be folded.
    """

    def __init__(self, level: Level) -> None:
        super().__init__()
        parts = list(level.model)
        at = next(index for index, part in enumerate(parts) if isinstance(part, nn.Conv2d))
        down, behind = parts[at], parts[at + 1]
        batch = behind if isinstance(behind, nn.BatchNorm2d) else None
        self.down = batch_folded(down, batch)
        self.norm = FrozenInstanceNorm(behind, len(self.down.weight)) if isinstance(behind, nn.InstanceNorm2d) else None
        deeper = next((part for part in parts if isinstance(part, Level)), None)
        self.deeper = None if deeper is None else FoldedLevel(deeper)
        at = next(index for index, part in enumerate(parts) if isinstance(part, nn.ConvTranspose2d))
        up = parts[at]
        assert isinstance(up, nn.ConvTranspose2d)
        self.up = FoldedUp(up, parts[at + 1])
        self.outermost = level.outermost

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W), as the trained level does."""
        y: Tensor = self.down(x if self.outermost else functional.leaky_relu(x, SLOPE))
        if self.norm is not None:
            y = self.norm(y)
        if self.deeper is not None:
            y = self.deeper(y)
        made: Tensor = self.up(functional.relu(y))
        return made if self.outermost else torch.cat((x, made), 1)


class FoldedPix2Pix(nn.Module):
    """The U-Net, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: Pix2Pix) -> None:
        super().__init__()
        self.level = FoldedLevel(network.model)

    def forward(self, x: Tensor) -> Tensor:
        """Translate (N, C, H, W), any float type, to float32; arithmetic in the weights' type."""
        made: Tensor = self.level(x.to(self.level.down.weight.dtype))
        return torch.tanh(made.float())
