"""Convolution whose weight is scaled by a style, in the two ways to write it.

Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), equations 1 and 3:
w'_oik = s_i w_oik, and w''_oik = w'_oik / sqrt(sum_ik w'_oik^2 + eps).

Published code makes w'' for every image and convolves with as many groups as the batch has images (`grouped`). Since
the style scales whole input channels and demodulation whole output channels, the same comes from scaling the input,
convolving with the one shared weight, and scaling the output (`scaled`): the weight is a constant, the batch may have
any size, and nothing is squared that half precision cannot hold.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.bilinear import doubled
from operators.networks.layers.convolution import Resampling
from operators.networks.layers.equalised import EqualLinear
from operators.networks.layers.fir import Blur, Taps, padding_after_transposed

EPSILON = 1e-8
Form = Literal["scaled", "grouped"]


def normalised(style: Tensor) -> tuple[Tensor, Tensor]:
    """Styles divided by their largest magnitude, which demodulation cancels.

    Args:
        style: (N, I).

    Returns:
        (N, I) float32 in [-1, 1], and what it was divided by, (N, 1) float32, at least 1e-8.
    """
    style = style.float()
    # Detached: the output does not depend on the divisor, so its gradient is zero.
    peak = style.detach().abs().amax(1, keepdim=True).clamp_min(1e-8)
    return style / peak, peak


def demodulation(style: Tensor, peak: Tensor, energy: Tensor, floor: Tensor | float) -> Tensor:
    """Factors that give every output channel unit gain (equation 3 of StyleGAN2), for normalised styles.

    Args:
        style: (N, I) float32, normalised.
        peak: (N, 1) float32, what it was divided by.
        energy: (I, O) float32, sum over the kernel of the squared weights.
        floor: epsilon of the published form, one number or one for each output channel.

    Returns:
        (N, O) float32.
    """
    return torch.rsqrt(style.square() @ energy + floor / peak.square())


class ModulatedConv2d(nn.Module):
    """Convolution modulated by a latent.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: odd.
        latent_features: length of the latent.
        demodulate: whether output channels are brought to unit gain.
        equalised: equalised learning rate, as all but GFPGAN's clean layout have it.
        up: how the resolution is doubled, None for not.
        taps: of the filter when it is doubled by one.
        stored: whether checkpoints hold the filter.

    Attributes:
        form: which way to write it; same result.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        latent_features: int,
        *,
        demodulate: bool = True,
        equalised: bool = True,
        up: Resampling | None = None,
        taps: Taps = (1, 3, 3, 1),
        stored: bool = True,
    ) -> None:
        super().__init__()
        deviation = 1.0 / math.sqrt(in_channels * kernel_size**2)
        self.scale = deviation if equalised else 1.0
        self.weight = nn.Parameter(
            torch.randn(1, out_channels, in_channels, kernel_size, kernel_size) * (deviation / self.scale)
        )
        self.modulation: nn.Module
        if equalised:
            self.modulation = EqualLinear(latent_features, in_channels, bias=1.0)
        else:
            self.modulation = nn.Linear(latent_features, in_channels)
            nn.init.kaiming_normal_(self.modulation.weight, nonlinearity="linear")
            nn.init.ones_(self.modulation.bias)
        self.blur = None
        if up == "fir":
            self.blur = Blur(taps, padding_after_transposed(len(taps), kernel_size), gain=4.0, stored=stored)
        self.up = up
        self.demodulate = demodulate
        self.form: Form = "scaled"

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Convolve (N, in_channels, H, W) under latents (N, latent_features)."""
        style: Tensor = self.modulation(latent)
        return self._grouped(x, style) if self.form == "grouped" else self._scaled(x, style)

    def _scaled(self, x: Tensor, style: Tensor) -> Tensor:
        weight = self.weight[0] * self.scale
        scaled, peak = normalised(style)
        factor = peak
        if self.demodulate:
            energy = weight.float().square().sum((2, 3)).t()
            factor = demodulation(scaled, peak, energy, EPSILON)
        x = x * scaled.to(x.dtype)[:, :, None, None]
        if self.up == "bilinear":
            x = doubled(x)
        if self.blur is None:
            y = functional.conv2d(x, weight, padding=weight.shape[2] // 2)
        else:
            y = self.blur(functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        return y * factor.to(y.dtype)[:, :, None, None]

    def _grouped(self, x: Tensor, style: Tensor) -> Tensor:
        count, channels = x.shape[:2]
        weight = self.scale * self.weight * style[:, None, :, None, None]
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + EPSILON)
        if self.up == "bilinear":
            x = doubled(x)
        images = x.reshape(1, count * channels, *x.shape[2:])
        if self.blur is None:
            y = functional.conv2d(images, weight.flatten(0, 1), padding=weight.shape[3] // 2, groups=count)
            return y.view(count, -1, *y.shape[2:])
        y = functional.conv_transpose2d(images, weight.transpose(1, 2).flatten(0, 1), stride=2, groups=count)
        blurred: Tensor = self.blur(y.view(count, -1, *y.shape[2:]))
        return blurred
