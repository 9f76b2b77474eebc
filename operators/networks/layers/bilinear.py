"""Bilinear resampling by two, at half-pixel centres."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def doubled(x: Tensor) -> Tensor:
    """Map (N, C, H, W) to (N, C, 2H, 2W)."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def halved(x: Tensor) -> Tensor:
    """Map (N, C, 2H, 2W) to (N, C, H, W): bilinear interpolation midway between pixels is the mean of 2 x 2."""
    return functional.avg_pool2d(x, 2)


class BilinearDouble(nn.Module):
    """`doubled` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        return doubled(x)


class BilinearHalf(nn.Module):
    """`halved` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, 2H, 2W) to (N, C, H, W)."""
        return halved(x)
