"""StyleGAN2's discriminator, in the layout in which GPEN's are published."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import EqualLinear

_GROUP = 4


class ResidualBlock(nn.Module):
    """Two convolutions beside one, halving the size.

    Args:
        entering: channels of the input.
        leaving: of the output.
    """

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(entering, entering, 3)
        self.conv2 = ConvLayer(entering, leaving, 3, half="fir")
        self.skip = ConvLayer(entering, leaving, 1, half="fir", activate=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, C', S / 2, S / 2)."""
        y: Tensor = (self.conv2(self.conv1(x)) + self.skip(x)) / math.sqrt(2)
        return y


class Discriminator(nn.Module):
    """Tells made pictures from real ones.

    Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), section 4.1: residual blocks, and the
    deviation within groups of four pictures as one more channel before the last.

    Args:
        channels: by resolution, from 4 to the pictures' side, as `operators.widths.widths` gives them.
    """

    def __init__(self, channels: Mapping[int, int]) -> None:
        super().__init__()
        size = max(channels)
        blocks: list[nn.Module] = [ConvLayer(3, channels[size], 1)]
        while size > 4:
            blocks.append(ResidualBlock(channels[size], channels[size // 2]))
            size //= 2
        self.convs = nn.Sequential(*blocks)
        self.final_conv = ConvLayer(channels[4] + 1, channels[4], 3)
        self.final_linear = nn.Sequential(
            EqualLinear(channels[4] * 16, channels[4], activate=True), EqualLinear(channels[4], 1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge pictures.

        Args:
            pictures: (N, 3, S, S) in [-1, 1], N a multiple of 4 or below 4.

        Returns:
            (N, 1), logits; above 0 for what looks real.
        """
        return self.judged(pictures)[0]

    def judged(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the features after each block, for `feature_matching`."""
        x, features = pictures, []
        for block in self.convs:
            x = block(x)
            features.append(x)
        x = self.final_conv(torch.cat([x, _deviation(x)], 1))
        logits: Tensor = self.final_linear(x.flatten(1))
        return logits, features


def _deviation(x: Tensor) -> Tensor:
    """Mean over features and pixels of the standard deviation within groups: (N, 1, H, W) (Karras et al. 2018, 3)."""
    count, _, height, width = x.shape
    group = min(count, _GROUP)
    grouped = x.float().reshape(group, count // group, -1)
    deviation = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean(1)
    return deviation.to(x.dtype).repeat(group).view(count, 1, 1, 1).expand(count, 1, height, width)
