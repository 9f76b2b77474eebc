"""MobileStyleGAN's mapping and synthesis network, named as its author names their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.equalised import GAIN, SLOPE, PixelNorm
from operators.networks.mobilestylegan.layers import (
    ModulatedConv,
    SeparableModulatedConv,
    StyledConv,
    ToImage,
    WaveletUp,
)


class Mapping(nn.Module):
    """From z to w.

    Args:
        style_dim: length of both.
        n_mlp: number of layers.
    """

    def __init__(self, style_dim: int, n_mlp: int) -> None:
        super().__init__()
        self.norm = PixelNorm()
        self.layers = nn.ModuleList(nn.Linear(style_dim, style_dim) for _ in range(n_mlp))

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, style_dim) onto itself."""
        w: Tensor = self.norm(z)
        for layer in self.layers:
            w = functional.leaky_relu(layer(w), SLOPE) * GAIN
        return w


class Input(nn.Module):
    """The learned start of the synthesis.

    Args:
        channels: of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class Block(nn.Module):
    """One resolution: doubling by wavelets, and two separable convolutions.

    Args:
        in_channels: of the resolution before.
        out_channels: of this one.
        latent_features: length of a latent.
        side: of this resolution, in pixels.
        last: the picture is made here. The published network has pictures of all resolutions while it is trained, and
            only the last one's layer when it is exported.
    """

    def __init__(self, in_channels: int, out_channels: int, latent_features: int, side: int, *, last: bool) -> None:
        super().__init__()
        entering = in_channels // 4
        self.up = WaveletUp(in_channels, latent_features)
        self.conv1 = StyledConv(SeparableModulatedConv(entering, out_channels, latent_features), out_channels, side)
        self.conv2 = StyledConv(SeparableModulatedConv(out_channels, out_channels, latent_features), out_channels, side)
        self.to_img = ToImage(out_channels, latent_features) if last else None


class Synthesis(nn.Module):
    """From w to the picture.

    Args:
        style_dim: length of w.
        channels: by resolution, from 4 pixels on.

    Attributes:
        latents: how many latents the picture has: the first convolution's, two for each further resolution (the first
            for doubling and first convolution, the second for the second), and the picture's.
    """

    def __init__(self, style_dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.input = Input(channels[0])
        self.conv1 = StyledConv(ModulatedConv(channels[0], channels[0], 3, style_dim), channels[0], 4)
        self.layers = nn.ModuleList(
            Block(before, after, style_dim, 8 << index, last=index == len(channels) - 2)
            for index, (before, after) in enumerate(pairwise(channels))
        )
        self.latents = 2 * len(channels)

    def begin(self, count: int) -> Tensor:
        """The start for `count` pictures, (count, C, 4, 4)."""
        return self.input.input.expand(count, -1, -1, -1)

    def step(self, features: Tensor, latent: Tensor, layer: int) -> Tensor:
        """One layer.

        Args:
            features: of the layer before, `begin`'s for the first.
            latent: (N, style_dim).
            layer: number of the layer, from 0 to `latents` - 1; the last one makes the picture.

        Returns:
            The layer's features, or (N, 3, S, S).
        """
        made: Tensor
        if layer == 0:
            made = self.conv1(features, latent)
            return made
        block = self.layers[min(layer - 1, self.latents - 3) // 2]
        assert isinstance(block, Block)
        if layer == self.latents - 1:
            assert block.to_img is not None
            made = block.to_img(features, latent)
        elif layer % 2 == 0:
            made = block.conv2(features, latent)
        else:
            made = block.conv1(block.up(features, latent), latent)
        return made


class MobileStyleGan(nn.Module):
    """MobileStyleGAN: StyleGAN2 distilled into a synthesis network of wavelets and separable convolutions.

    Args:
        style_dim: length of z and of w.
        n_mlp: layers of the mapping network.
        channels: by resolution, from 4 pixels on, but for the picture's own resolution, which is twice the last.

    Raises:
        ValueError: a number of channels cannot be taken apart into four bands.
    """

    def __init__(
        self,
        style_dim: int = 512,
        *,
        n_mlp: int = 8,
        channels: Sequence[int] = (512, 512, 512, 512, 512, 256, 128, 64),
    ) -> None:
        super().__init__()
        if len(channels) < 2 or any(count < 4 or count % 4 for count in channels[:-1]) or channels[-1] < 1:
            raise ValueError(f"channels are {list(channels)}; two or more are needed, all but the last multiples of 4")
        self.mapping = Mapping(style_dim, n_mlp)
        self.synthesis = Synthesis(style_dim, channels)
        self.style_dim = style_dim
        self.resolution = 4 << len(channels)

    def forward(self, z: Tensor) -> Tensor:
        """Make a picture.

        Args:
            z: (N, style_dim), standard normal.

        Returns:
            (N, 3, resolution, resolution), about [-1, 1], not clamped.
        """
        w: Tensor = self.mapping(z)
        features = self.synthesis.begin(z.shape[0])
        for layer in range(self.synthesis.latents):
            features = self.synthesis.step(features, w, layer)
        return features
