"""The encoders' convolution of StyleGAN2: optional halving, an equalised convolution, bias and activation."""

from __future__ import annotations

from typing import Literal

from torch import nn

from operators.networks.layers.bilinear import BilinearHalf
from operators.networks.layers.equalised import EqualConv2d, FusedLeakyReLU
from operators.networks.layers.fir import Blur, Taps, padding_before_strided

Resampling = Literal["fir", "bilinear"]


class ConvLayer(nn.Sequential):
    """Convolution with what comes before and after it; parameters are named by position, as published.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: odd.
        half: how the resolution is halved, None for not.
        taps: of the filter when it is halved by one.
        stored: whether checkpoints hold the filter.
        activate: bias and leaky ReLU; neither otherwise.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        half: Resampling | None = None,
        taps: Taps = (1, 3, 3, 1),
        stored: bool = True,
        activate: bool = True,
    ) -> None:
        strided = half == "fir"
        parts: list[nn.Module] = []
        if strided:
            parts.append(Blur(taps, padding_before_strided(len(taps), kernel_size), stored=stored))
        elif half == "bilinear":
            parts.append(BilinearHalf())
        padding = 0 if strided else kernel_size // 2
        parts.append(
            EqualConv2d(in_channels, out_channels, kernel_size, stride=1 + strided, padding=padding, bias=None)
        )
        if activate:
            parts.append(FusedLeakyReLU(out_channels))
        super().__init__(*parts)
