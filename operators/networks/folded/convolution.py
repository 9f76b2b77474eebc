"""Frozen convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.equalised import SLOPE


class FrozenConv2d(nn.Module):
    """Convolution with constant weights.

    Args:
        weight: (O, I / groups, k, k); copied.
        bias: (O,), or None; copied.
        stride: pixels.
        padding: pixels of zeros on each side.
        groups: of channels.
        activate: leaky ReLU, its gain being in weight and bias.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = constant(weight)
        self.bias = None if bias is None else constant(bias)
        self.stride = stride
        self.padding = padding
        self.groups = groups
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, I, H, W)."""
        y = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, groups=self.groups)
        return functional.leaky_relu(y, SLOPE, inplace=True) if self.activate else y


class FrozenTransposedConv2d(nn.Module):
    """Transposed convolution of stride 2 with constant weights.

    Args:
        weight: (I, O / groups, k, k); copied.
        padding: pixels taken off each side of the output.
        groups: of channels.
    """

    def __init__(self, weight: Tensor, *, padding: int = 0, groups: int = 1) -> None:
        super().__init__()
        self.weight = constant(weight)
        self.padding = padding
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, I, H, W)."""
        return functional.conv_transpose2d(x, self.weight, stride=2, padding=self.padding, groups=self.groups)


def constant(value: Tensor) -> nn.Parameter:
    """A frozen copy, float32, dense and contiguous."""
    return nn.Parameter(value.detach().to(torch.float32, copy=True).contiguous(), requires_grad=False)


def depthwise_filter(kernel: Tensor, channels: int, padding: tuple[int, int], stride: int = 1) -> nn.Module:
    """A filter as a frozen depthwise convolution.

    Args:
        kernel: (n, n); a true convolution, so it is flipped here.
        channels: of the input.
        padding: zeros before and after, on both axes.
        stride: pixels.
    """
    before, after = padding
    weight = kernel.flip(0, 1).expand(channels, 1, -1, -1)
    if before == after:
        return FrozenConv2d(weight, stride=stride, padding=before, groups=channels)
    pad = nn.ZeroPad2d((before, after, before, after))
    return nn.Sequential(pad, FrozenConv2d(weight, stride=stride, groups=channels))
