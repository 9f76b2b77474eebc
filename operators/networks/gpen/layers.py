"""Layers of GPEN's generator, in which an encoder's features take the place of StyleGAN2's noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from operators.networks.layers.equalised import FusedLeakyReLU
from operators.networks.layers.fir import FirUpsample, Taps
from operators.networks.layers.modulation import ModulatedConv2d


class NoiseInjection(nn.Module):
    """Brings noise, or what stands for it, to the features.

    Args:
        concatenated: beside the features, as in every released checkpoint; added to them otherwise.
    """

    def __init__(self, concatenated: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.concatenated = concatenated

    def forward(self, features: Tensor, noise: Tensor | None) -> Tensor:
        """Join features (N, C, H, W) with noise (N or 1, C or 1, H, W); None stands for its expectation, zero."""
        if self.concatenated:
            beside = torch.zeros_like(features) if noise is None else (self.weight * noise).expand_as(features)
            return torch.cat((features, beside), 1)
        return features if noise is None else features + self.weight * noise


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias and activation.

    Args:
        in_channels: of the input, noise included.
        out_channels: of the convolution; twice as many leave where noise is concatenated.
        latent_features: length of the latent.
        up: double the resolution.
        taps: of the filter.
        concatenated: how noise is brought in.
    """

    def __init__(
        self, in_channels: int, out_channels: int, latent_features: int, *, up: bool, taps: Taps, concatenated: bool
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, latent_features, up="fir" if up else None, taps=taps)
        self.noise = NoiseInjection(concatenated)
        self.activate = FusedLeakyReLU(out_channels * (1 + concatenated))

    def forward(self, features: Tensor, latent: Tensor, noise: Tensor | None) -> Tensor:
        """Map (N, in_channels, H, W) under latents (N, latent_features)."""
        result: Tensor = self.activate(self.noise(self.conv(features, latent), noise))
        return result


class ToRGB(nn.Module):
    """A resolution's contribution to the picture.

    Args:
        in_channels: of the features.
        latent_features: length of the latent.
        up: there is a smaller picture, to be doubled and added.
    """

    def __init__(self, in_channels: int, latent_features: int, *, up: bool) -> None:
        super().__init__()
        self.upsample = FirUpsample() if up else None
        self.conv = ModulatedConv2d(in_channels, 3, 1, latent_features, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, features: Tensor, latent: Tensor, smaller: Tensor | None) -> Tensor:
        """Map (N, in_channels, S, S), and the picture (N, 3, S/2, S/2) so far, to (N, 3, S, S)."""
        picture: Tensor = self.conv(features, latent) + self.bias
        if self.upsample is None or smaller is None:
            return picture
        larger: Tensor = self.upsample(smaller)
        return picture + larger
