"""Layers with an equalised learning rate: weights are kept at unit variance and scaled when used.

Source: Karras et al., "Progressive Growing of GANs" (2018), section 4.1; the activation with its gain is StyleGAN2's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
GAIN = math.sqrt(2.0)


class EqualLinear(nn.Module):
    """Fully connected layer.

    Args:
        in_features: length of the input.
        out_features: length of the output.
        bias: initial bias.
        rate: learning rate of this layer relative to the others; weight and bias are multiplied by it.
        activate: leaky ReLU with gain sqrt(2) afterwards.
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: float = 0.0, rate: float = 1.0, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / rate)
        self.bias = nn.Parameter(torch.full((out_features,), bias))
        self.rate = rate
        self.scale = rate / math.sqrt(in_features)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        y = functional.linear(x, self.weight * self.scale, self.bias * self.rate)
        return functional.leaky_relu(y, SLOPE) * GAIN if self.activate else y


class EqualConv2d(nn.Module):
    """Convolution.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: pixels a side.
        stride: pixels.
        padding: pixels of zeros on each side.
        bias: initial bias, None for a layer without.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: float | None = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = None if bias is None else nn.Parameter(torch.full((out_channels,), bias))
        self.scale = 1.0 / math.sqrt(in_channels * kernel_size**2)
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, in_channels, H, W)."""
        return functional.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.padding)


class FusedLeakyReLU(nn.Module):
    """Bias, leaky ReLU and the gain sqrt(2) that keeps the variance.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        return functional.leaky_relu(x + self.bias.view(1, -1, 1, 1), SLOPE) * GAIN


class ScaledLeakyReLU(nn.Module):
    """Leaky ReLU with the gain sqrt(2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map any shape onto itself."""
        return functional.leaky_relu(x, SLOPE) * GAIN


class PixelNorm(nn.Module):
    """Division by the root mean square over dimension 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, ...) onto itself."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)
