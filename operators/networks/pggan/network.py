"""PGGAN's generator as it is published for mGANprior (Gu et al., CVPR 2020), with its parameter names."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.equalised import GAIN, SLOPE
from operators.widths import level_of


class WeightScale(nn.Module):
    """The equalised layer's factor, applied to the output, and its bias under the name `bias`.

    Args:
        channels: of the output.
        scale: factor.
    """

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        return x * self.scale + self.bias.view(1, -1, 1, 1)


def widened(weight: Tensor) -> Tensor:
    """The kernel (O, I, 4, 4) that does in one transposed convolution what doubling and convolving do in two.

    Args:
        weight: (3, 3, I, O), as stored.

    Returns:
        (I, O, 4, 4).
    """
    kernel = functional.pad(weight.permute(2, 3, 0, 1), (1, 1, 1, 1))
    return kernel[..., 1:, 1:] + kernel[..., :-1, 1:] + kernel[..., 1:, :-1] + kernel[..., :-1, :-1]


def unit_length(x: Tensor) -> Tensor:
    """Divide each pixel's features by their root mean square (Karras et al. 2018, section 4.2).

    Written as division by a root, as published: where the last layers have few channels, the rounding of a reciprocal
    root in its place grows to a thousandth of the picture's standard deviation.

    Args:
        x: (N, C, H, W).

    Returns:
        The same shape.
    """
    return x / torch.sqrt(torch.mean(x**2, dim=1, keepdim=True) + 1e-8)


class Block(nn.Module):
    """Pixel normalisation, doubling if asked for, convolution, scale, bias, activation.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the convolution.
        padding: zeros on each side.
        up: double the resolution.
        fused: doubling and convolution are one transposed convolution, with the weight stored as (3, 3, I, O).
        activate: leaky ReLU, with its gain in the scale.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        padding: int = 1,
        *,
        up: bool = False,
        fused: bool = False,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.conv: nn.Conv2d | None = None
        self.weight: nn.Parameter | None = None
        if up and fused:
            self.weight = nn.Parameter(torch.randn(kernel_size, kernel_size, in_channels, out_channels))
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=False)
            nn.init.normal_(self.conv.weight)
        gain = GAIN if activate else 1.0
        self.wscale = WeightScale(out_channels, gain / math.sqrt(in_channels * kernel_size**2))
        self.up = up
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W)."""
        x = unit_length(x)
        if self.conv is None:
            assert self.weight is not None
            y = functional.conv_transpose2d(x, widened(self.weight), stride=2, padding=1)
        else:
            y = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x)
        y = self.wscale(y)
        return functional.leaky_relu(y, SLOPE) if self.activate else y


class Pggan(nn.Module):
    """PGGAN's generator.

    Args:
        resolution: pixels a side, a power of two from 8.
        z_space_dim: length of the input.
        image_channels: of the picture.
        fused_scale: doubling and convolution are one layer.
        fmaps_base: channels times resolution.
        fmaps_max: most channels.
        lod: levels of detail that are left out, as in training, the picture being doubled instead. Read from the
            checkpoint when the network is built; the parameter of that name is kept for the checkpoint's sake.
    """

    def __init__(
        self,
        resolution: int = 1024,
        *,
        z_space_dim: int = 512,
        image_channels: int = 3,
        fused_scale: bool = False,
        fmaps_base: int = 16384,
        fmaps_max: int = 512,
        lod: float = 0.0,
    ) -> None:
        super().__init__()
        self.lod = nn.Parameter(torch.tensor(float(lod)))
        self.levels = level_of(resolution) - 1
        self.active = max(1, min(self.levels, self.levels - math.ceil(lod)))
        before = z_space_dim
        for level in range(self.levels):
            count = min(fmaps_base // (4 << level), fmaps_max)
            first = Block(before, count, 4, 3) if level == 0 else Block(before, count, up=True, fused=fused_scale)
            self.add_module(f"layer{2 * level}", first)
            self.add_module(f"layer{2 * level + 1}", Block(count, count))
            self.add_module(f"output{level}", Block(count, image_channels, 1, 0, activate=False))
            before = count

    def forward(self, z: Tensor) -> Tensor:
        """Make a picture.

        Args:
            z: (N, z_space_dim), standard normal.

        Returns:
            (N, image_channels, resolution, resolution), about [-1, 1], not clamped.
        """
        x = z[:, :, None, None]
        for level in range(2 * self.active):
            x = self.get_submodule(f"layer{level}")(x)
        picture: Tensor = self.get_submodule(f"output{self.active - 1}")(x)
        for _ in range(self.levels - self.active):
            picture = functional.interpolate(picture, scale_factor=2.0, mode="nearest")
        return picture
