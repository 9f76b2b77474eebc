"""Layers of MobileStyleGAN: modulated convolutions that need no demodulation, and Haar's inverse wavelet transform."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.equalised import SLOPE


def haar_inverse(x: Tensor) -> Tensor:
    """The inverse of Haar's discrete wavelet transform: four bands become one map of twice the side.

    Args:
        x: (N, 4 C, H, W), half of the bands: C low ones, then for each of them the vertical, horizontal and diagonal
            details. Halving is exact, and costs less before the transform than after it.

    Returns:
        (N, C, 2H, 2W).
    """
    channels = x.shape[1] // 4
    low = x[:, :channels]
    details = x[:, channels:].reshape(x.shape[0], channels, 3, *x.shape[2:])
    vertical, horizontal, diagonal = details.unbind(2)
    upper, lower = low + vertical, low - vertical
    upper_step, lower_step = horizontal + diagonal, horizontal - diagonal
    corners = (upper + upper_step, upper - upper_step, lower + lower_step, lower - lower_step)
    return functional.pixel_shuffle(torch.stack(corners, 2).flatten(1, 2), 2)


class Modulation(nn.Linear):
    """From a latent to the factors of channels.

    Args:
        latent_features: length of the latent.
        channels: of what is multiplied.
    """

    def __init__(self, latent_features: int, channels: int) -> None:
        super().__init__(latent_features, channels)
        nn.init.ones_(self.bias)


class ModulatedConv(nn.Module):
    """Convolution of modulated features. The published network's demodulation is a constant, and is in the weight.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: odd.
        latent_features: length of the latent.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, latent_features: int) -> None:
        super().__init__()
        self.modulation = Modulation(latent_features, in_channels)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.scale = 1.0 / math.sqrt(in_channels * kernel_size**2)
        self.padding = kernel_size // 2

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Convolve (N, in_channels, H, W) under latents (N, latent_features)."""
        style = self.modulation(latent) * self.scale
        return functional.conv2d(x * style[:, :, None, None], self.weight, padding=self.padding)


class SeparableModulatedConv(nn.Module):
    """The same in two steps, a 3x3 filter for each channel and a mixing of channels.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        latent_features: length of the latent.
    """

    def __init__(self, in_channels: int, out_channels: int, latent_features: int) -> None:
        super().__init__()
        self.modulation = Modulation(latent_features, in_channels)
        self.weight_dw = nn.Parameter(torch.randn(in_channels, 1, 3, 3))
        self.weight_permute = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.scale = 1.0 / math.sqrt(in_channels * 9)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Convolve (N, in_channels, H, W) under latents (N, latent_features)."""
        style = self.modulation(latent) * self.scale
        filtered = functional.conv2d(x * style[:, :, None, None], self.weight_dw, padding=1, groups=x.shape[1])
        return functional.conv2d(filtered, self.weight_permute)


class StyledConv(nn.Module):
    """Modulated convolution, stored noise, bias and leaky ReLU.

    Args:
        conv: the convolution.
        channels: of its output.
        side: of its output, in pixels.
    """

    noise: Tensor

    def __init__(self, conv: ModulatedConv | SeparableModulatedConv, channels: int, side: int) -> None:
        super().__init__()
        self.conv = conv
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("noise", torch.zeros(1, 1, side, side))

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (N, I, H, W) under latents (N, D) to (N, channels, H, W)."""
        y: Tensor = self.conv(x, latent)
        # In place, which halves the memory traffic; a convolution's gradient does not need its output.
        return functional.leaky_relu(y.add_(self.noise).add_(self.bias), SLOPE, inplace=True)


class WaveletUp(nn.Module):
    """Modulated features taken for wavelet bands: twice the side, a quarter of the channels.

    Args:
        channels: of the input, a multiple of 4.
        latent_features: length of the latent.
    """

    def __init__(self, channels: int, latent_features: int) -> None:
        super().__init__()
        self.modulation = Modulation(latent_features, channels)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (N, channels, H, W) under latents (N, D) to (N, channels / 4, 2H, 2W)."""
        style = self.modulation(latent) * 0.5
        return haar_inverse(x * style[:, :, None, None])


class ToImage(nn.Module):
    """The wavelet bands of the picture.

    Args:
        in_channels: of the features.
        latent_features: length of the latent.
    """

    def __init__(self, in_channels: int, latent_features: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(in_channels, 12, 1, latent_features)
        self.bias = nn.Parameter(torch.zeros(1, 12, 1, 1))

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (N, in_channels, S, S) under latents (N, D) to the picture, (N, 3, 2S, 2S)."""
        return haar_inverse((self.conv(x, latent) + self.bias) * 0.5)
