"""Normalisation, frozen: by fixed statistics it becomes part of a convolution, by a picture's own it stays a layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.folded.exact import Exact


def batch_factors(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """What batch normalisation by its running statistics multiplies by and adds.

    Args:
        norm: a `BatchNorm2d` with running statistics.

    Returns:
        Factor and addend, (C,) float32 each; computed in float64.
    """
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = torch.rsqrt(norm.running_var.detach().double() + norm.eps)
    if norm.affine:
        factor = factor * norm.weight.detach().double()
    addend = -norm.running_mean.detach().double() * factor
    if norm.affine:
        addend = addend + norm.bias.detach().double()
    return factor.float(), addend.float()


def batch_folded(conv: nn.Module, norm: nn.Module | None) -> FrozenConv2d:
    """A convolution with the batch normalisation behind it.

    Args:
        conv: a `Conv2d` of equal strides and paddings; its own padding is kept.
        norm: a `BatchNorm2d`, or None.
    """
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(conv.padding[0], int)
    weight, bias = conv.weight.detach(), None if conv.bias is None else conv.bias.detach()
    if norm is not None:
        factor, addend = batch_factors(norm)
        weight = weight * factor[:, None, None, None]
        bias = addend if bias is None else bias * factor + addend
    return FrozenConv2d(weight, bias, stride=conv.stride[0], padding=conv.padding[0])


class FrozenInstanceNorm(Exact):
    """Normalisation of each channel by its mean and variance over the whole picture, in float32 in every precision.

    Args:
        norm: an `InstanceNorm2d`.
        channels: of the features.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.InstanceNorm2d, channels: int) -> None:
        super().__init__()
        self.eps = norm.eps
        self.keep("scale", norm.weight.detach() if norm.affine else torch.ones(channels))
        self.keep("shift", norm.bias.detach() if norm.affine else torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        wide = x.float()
        mean = wide.mean((2, 3), keepdim=True)
        variance = (wide - mean).square().mean((2, 3), keepdim=True)
        return self.normalised(wide, mean, variance).to(x.dtype)

    def normalised(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Normalise by statistics that are given.

        Args:
            x: (N, C, H, W) float32.
            mean: (N or 1, C, 1, 1) float32.
            variance: the same shape.
        """
        factor = torch.rsqrt(variance + self.eps) * self.scale[:, None, None]
        return (x - mean) * factor + self.shift[:, None, None]
