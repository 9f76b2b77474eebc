"""GFPGAN's StyleGAN2 with spatial feature transforms between the two convolutions of a resolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.gfpgan.kit import Kit
from operators.networks.layers.bilinear import doubled
from operators.networks.layers.equalised import GAIN, SLOPE, FusedLeakyReLU, PixelNorm
from operators.networks.layers.fir import FirUpsample
from operators.networks.layers.modulation import ModulatedConv2d
from operators.networks.layers.synthesis import Noises, rgb_places, synthesise


class StyleConv(nn.Module):
    """Modulated convolution, noise, bias and activation.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        latent_features: length of the latent.
        up: double the resolution.
        kit: layout.
    """

    def __init__(self, in_channels: int, out_channels: int, latent_features: int, *, up: bool, kit: Kit) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConv2d(
            in_channels,
            out_channels,
            3,
            latent_features,
            equalised=kit.fused,
            up=kit.resampling if up else None,
            stored=False,
        )
        self.weight = nn.Parameter(torch.zeros(1))
        self.activate = FusedLeakyReLU(out_channels) if kit.fused else None
        self.bias = None if kit.fused else nn.Parameter(torch.zeros(1, out_channels, 1, 1))

    def forward(self, features: Tensor, latent: Tensor, noise: Tensor | None) -> Tensor:
        """Map (N, in_channels, H, W) under latents (N, latent_features), with noise (1, 1, H, W) or none."""
        y: Tensor = self.modulated_conv(features, latent)
        if self.bias is None:
            assert self.activate is not None
            y = y if noise is None else y + self.weight * noise
            activated: Tensor = self.activate(y)
            return activated
        # The clean layout has the activation's gain in its biases and noise weights, and here.
        y = y * GAIN
        y = y if noise is None else y + self.weight * noise
        return functional.leaky_relu(y + self.bias, SLOPE)


class ToRGB(nn.Module):
    """A resolution's contribution to the picture.

    Args:
        in_channels: of the features.
        latent_features: length of the latent.
        up: there is a smaller picture, to be doubled and added.
        kit: layout.
    """

    def __init__(self, in_channels: int, latent_features: int, *, up: bool, kit: Kit) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConv2d(in_channels, 3, 1, latent_features, demodulate=False, equalised=kit.fused)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.filter = FirUpsample((1, 3, 3, 1), stored=False) if up and kit.resampling == "fir" else None

    def forward(self, features: Tensor, latent: Tensor, smaller: Tensor | None) -> Tensor:
        """Map (N, in_channels, S, S), and the picture (N, 3, S/2, S/2) so far, to (N, 3, S, S)."""
        picture: Tensor = self.modulated_conv(features, latent) + self.bias
        if smaller is None:
            return picture
        larger: Tensor = doubled(smaller) if self.filter is None else self.filter(smaller)
        return picture + larger


class ConstantInput(nn.Module):
    """The learned start of the synthesis.

    Args:
        channels: of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, channels, 4, 4))


class Decoder(nn.Module):
    """Mapping and synthesis network.

    Args:
        channels: by resolution, from 4 to the output's.
        latent_features: length of a latent.
        num_mlp: layers of the mapping network.
        sft_half: only the second half of the channels is transformed.
        stored_noise: whether noise maps are stored.
        kit: layout.
    """

    def __init__(
        self,
        channels: dict[int, int],
        *,
        latent_features: int,
        num_mlp: int,
        sft_half: bool,
        stored_noise: bool,
        kit: Kit,
    ) -> None:
        super().__init__()
        self.style_mlp = nn.Sequential(PixelNorm(), *kit.mapping(latent_features, num_mlp))
        self.constant_input = ConstantInput(channels[4])
        before = channels[4]
        self.style_conv1 = StyleConv(before, before, latent_features, up=False, kit=kit)
        self.to_rgb1 = ToRGB(before, latent_features, up=False, kit=kit)
        self.style_convs = nn.ModuleList()
        self.to_rgbs = nn.ModuleList()
        for resolution, count in channels.items():
            if resolution == 4:
                continue
            self.style_convs.append(StyleConv(before, count, latent_features, up=True, kit=kit))
            self.style_convs.append(StyleConv(count, count, latent_features, up=False, kit=kit))
            self.to_rgbs.append(ToRGB(count, latent_features, up=True, kit=kit))
            before = count
        self.noises = Noises(len(channels), "noise") if stored_noise else None
        self.sft_half = sft_half

    def forward(self, latents: Sequence[Tensor], scales: Sequence[Tensor], shifts: Sequence[Tensor]) -> Tensor:
        """Make a picture.

        Args:
            latents: two for each resolution, (N, latent_features).
            scales: one for each resolution from 8 on, (N, C or C/2, S, S).
            shifts: likewise.

        Returns:
            (N, 3, S, S).
        """

        def transformed(level: int, features: Tensor) -> Tensor:
            if not self.sft_half:
                return features * scales[level] + shifts[level]
            same, changed = features.chunk(2, 1)
            return torch.cat((same, changed * scales[level] + shifts[level]), 1)

        convolutions = [self.style_conv1, *self.style_convs]
        noises = [None] * len(convolutions) if self.noises is None else self.noises.all()
        return synthesise(
            self.constant_input.weight,
            convolutions,
            [self.to_rgb1, *self.to_rgbs],
            latents,
            [latents[place] for place in rgb_places(len(latents))],
            noises,
            transformed,
        )
