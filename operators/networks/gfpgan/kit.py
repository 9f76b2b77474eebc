"""The building blocks in which GFPGAN's layouts differ: plain layers in the clean one, equalised ones in the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.bilinear import doubled, halved
from operators.networks.layers.convolution import ConvLayer, Resampling
from operators.networks.layers.equalised import SLOPE, EqualConv2d, EqualLinear, FusedLeakyReLU, ScaledLeakyReLU


class LeakyConv2d(nn.Conv2d):
    """Convolution and leaky ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W)."""
        return functional.leaky_relu(super().forward(x), SLOPE)


class CleanBlock(nn.Module):
    """Residual block of the clean layout.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        up: double the resolution; halve it otherwise.
    """

    def __init__(self, in_channels: int, out_channels: int, *, up: bool) -> None:
        super().__init__()
        self.conv1 = LeakyConv2d(in_channels, in_channels, 3, padding=1)
        self.conv2 = LeakyConv2d(in_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, 2H, 2W) or (N, out_channels, H/2, W/2)."""
        inner: Tensor = self.conv2(self._resampled(self.conv1(x)))
        beside: Tensor = self.skip(self._resampled(x))
        return inner + beside

    def _resampled(self, x: Tensor) -> Tensor:
        return doubled(x) if self.up else halved(x)


class FusedDown(nn.Module):
    """Halving residual block of the paper's layout.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        half: how the resolution is halved.
    """

    def __init__(self, in_channels: int, out_channels: int, half: Resampling) -> None:
        super().__init__()
        self.conv1 = ConvLayer(in_channels, in_channels, 3)
        self.conv2 = ConvLayer(in_channels, out_channels, 3, half=half, stored=False)
        self.skip = ConvLayer(in_channels, out_channels, 1, half=half, stored=False, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H/2, W/2)."""
        inner: Tensor = self.conv2(self.conv1(x))
        beside: Tensor = self.skip(x)
        return (inner + beside) / math.sqrt(2.0)


class FusedUpConv(EqualConv2d):
    """Bilinear doubling, convolution, and with `activate` bias and activation.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: odd.
        activate: bias and leaky ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, activate: bool) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=None)
        self.activation = FusedLeakyReLU(out_channels) if activate else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, 2H, 2W)."""
        y = super().forward(doubled(x))
        if self.activation is not None:
            y = self.activation(y)
        return y


class FusedUp(nn.Module):
    """Doubling residual block of the paper's layout; bilinear there too.

    Args:
        in_channels: of the input.
        out_channels: of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(in_channels, in_channels, 3)
        self.conv2 = FusedUpConv(in_channels, out_channels, 3, activate=True)
        self.skip = FusedUpConv(in_channels, out_channels, 1, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, 2H, 2W)."""
        inner: Tensor = self.conv2(self.conv1(x))
        beside: Tensor = self.skip(x)
        return (inner + beside) / math.sqrt(2.0)


@dataclass(frozen=True)
class Kit:
    """One layout's choice of blocks.

    Attributes:
        fused: equalised layers with fused activations (the paper's layout); plain layers otherwise.
        resampling: how the synthesis network doubles and the encoder halves.
        lr_mlp: learning rate of the mapping network, where layers are equalised.
    """

    fused: bool
    resampling: Resampling
    lr_mlp: float = 0.01

    def convolution(self, in_channels: int, out_channels: int, kernel_size: int) -> nn.Module:
        """Convolution, bias and activation."""
        if self.fused:
            return ConvLayer(in_channels, out_channels, kernel_size)
        return LeakyConv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def down(self, in_channels: int, out_channels: int) -> nn.Module:
        """Halving block."""
        if self.fused:
            return FusedDown(in_channels, out_channels, self.resampling)
        return CleanBlock(in_channels, out_channels, up=False)

    def up(self, in_channels: int, out_channels: int) -> nn.Module:
        """Doubling block."""
        return FusedUp(in_channels, out_channels) if self.fused else CleanBlock(in_channels, out_channels, up=True)

    def to_rgb(self, in_channels: int) -> nn.Module:
        """Features to a picture, for the training's pyramid loss."""
        return EqualConv2d(in_channels, 3, 1) if self.fused else nn.Conv2d(in_channels, 3, 1)

    def linear(self, in_features: int, out_features: int) -> nn.Module:
        """Features to latents."""
        return EqualLinear(in_features, out_features) if self.fused else nn.Linear(in_features, out_features)

    def condition(self, channels: int, out_channels: int, bias: float) -> nn.Sequential:
        """Features to what scales (initial bias 1) or shifts (0) the generator's features."""
        if self.fused:
            return nn.Sequential(
                EqualConv2d(channels, channels, 3, padding=1),
                ScaledLeakyReLU(),
                EqualConv2d(channels, out_channels, 3, padding=1, bias=bias),
            )
        return nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(channels, out_channels, 3, padding=1),
        )

    def mapping(self, features: int, count: int) -> list[nn.Module]:
        """Layers of the mapping network, in the published order of names."""
        if self.fused:
            return [EqualLinear(features, features, rate=self.lr_mlp, activate=True) for _ in range(count)]
        return [part for _ in range(count) for part in (nn.Linear(features, features), nn.LeakyReLU(SLOPE))]


CLEAN = Kit(fused=False, resampling="bilinear")
