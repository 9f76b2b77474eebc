"""The damage network as it is trained: a U-Net (Ronneberger, Fischer and Brox 2015) that is narrow at full size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 24, 32, 48, 64)
"""Channels of each resolution, the full one first."""

PLANES = 4
"""Of the input: red, green, blue in [-1, 1], and 1 inside the picture; all four are 0 outside."""


class Conv(nn.Module):
    """Convolution of 3 x 3, batch normalisation, ReLU.

    Args:
        entering: channels of the input.
        leaving: channels of the output.
    """

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(entering, leaving, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(leaving)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, entering, H, W) to (N, leaving, H, W)."""
        return functional.relu(self.norm(self.conv(x)))


class DamageUnet(nn.Module):
    """From a picture to a logit for each kind of damage at each pixel.

    Args:
        kinds: planes of the output.
        widths: channels of each resolution; the picture is halved once less than there are widths.
    """

    def __init__(self, kinds: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        before = (PLANES, *widths[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(Conv(entering, width), Conv(width, width))
            for entering, width in zip(before, widths, strict=True)
        )
        # The finest resolution comes last; there a second convolution follows.
        self.up = nn.ModuleList(
            Conv(widths[level + 1] + widths[level], widths[level]) for level in reversed(range(len(widths) - 1))
        )
        self.last = Conv(widths[0], widths[0])
        self.head = nn.Conv2d(widths[0], kinds, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See damage.

        Args:
            x: (N, 4, H, W), H and W multiples of 2 to the number of halvings; planes as `PLANES` says.

        Returns:
            (N, kinds, H, W) logits.
        """
        passed: list[Tensor] = []
        for level, stage in enumerate(self.down):
            x = stage(functional.max_pool2d(x, 2) if level else x)
            passed.append(x)
        for stage, beside in zip(self.up, reversed(passed[:-1]), strict=True):
            x = stage(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), beside], dim=1))
        result: Tensor = self.head(self.last(x))
        return result


def reach(widths: Sequence[int] = WIDTHS) -> int:
    """How far, in pixels, an output pixel can depend on the input; a multiple of the coarsest grid.

    Two convolutions on the way down and one on the way up at each resolution reach as many of its pixels; where a grid
    is left for a finer one, up to one of its pixels is added.
    """
    halvings = len(widths) - 1
    grid = 1 << halvings
    down = sum(2 << level for level in range(halvings + 1))
    up = sum(1 << level for level in range(halvings)) + 1
    return -(-(down + up + grid - 1) // grid) * grid
