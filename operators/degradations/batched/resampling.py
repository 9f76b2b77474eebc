"""Resizes of many images at once, each by its own factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from operators.degradations.batched.frames import (
    Frames,
    columns_taken,
    rows_taken,
    side_class,
)
from operators.degradations.batched.taps import Taps, taps
from operators.degradations.contract import Size
from operators.degradations.resize import Interpolation

_Taken = Callable[[Tensor, Tensor], Tensor]


def resized(frames: Frames, ways: Sequence[Interpolation], targets: Sequence[Size]) -> Frames:
    """Resize each image in its own way: columns first, then rows, taps added in their order.

    Args:
        frames: (B, C, H, W) float32.
        ways: of each image.
        targets: height and width of each result; all of one canvas.
    """
    device = frames.pixels.device
    both = [taps(way, size, target) for way, size, target in zip(ways, frames.sizes, targets, strict=True)]
    height, width = side_class(targets[0][0]), side_class(targets[0][1])
    index, weight = _filled([columns for _, columns in both], width, device)
    across = _sum(columns_taken, frames.pixels, index, weight[:, :, None, None, :])
    index, weight = _filled([rows for rows, _ in both], height, device)
    return Frames(_sum(rows_taken, across, index, weight[:, :, None, :, None]), tuple(targets))


def _sum(taken: _Taken, pixels: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Add up weighted samples, a tap after the other."""
    total = taken(pixels, index[:, 0]).mul_(weight[:, 0])
    for tap in range(1, index.shape[1]):
        total.addcmul_(taken(pixels, index[:, tap]), weight[:, tap])
    return total


def _filled(axes: Sequence[Taps], length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(B, T, length) int64 and float32: further taps have the weight 0, places past an image are its first sample."""
    most = max(axis.index.shape[0] for axis in axes)
    index = np.zeros((len(axes), most, length), dtype=np.int64)
    weight = np.zeros((len(axes), most, length), dtype=np.float32)
    for place, axis in enumerate(axes):
        count, sides = axis.index.shape
        index[place, :count, :sides], weight[place, :count, :sides] = axis.index, axis.weight
    return torch.from_numpy(index).to(device), torch.from_numpy(weight).to(device)
