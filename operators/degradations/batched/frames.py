"""Images of unlike sizes in one tensor, each in the top left corner of a canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.degradations.contract import Size

BLOCK = 16
"""Canvas sides are multiples of this: two JPEG blocks."""

Index = NDArray[np.intp]
"""(n,) index of a row or column that each place takes its value from."""


def side_class(side: int) -> int:
    """Side of the canvas for a side of an image: 16 to 128 in steps of 16, then four steps an octave.

    It depends on the image alone, so that an image meets the same shapes in every batch.
    """
    step = max(BLOCK, 1 << max(0, (side - 1).bit_length() - 3))
    return math.ceil(side / step) * step


def canvas(size: Size) -> Size:
    """Height and width of the canvas for an image."""
    return side_class(size[0]), side_class(size[1])


@dataclass(frozen=True)
class Frames:
    """Images of one canvas.

    Attributes:
        pixels: (B, C, H, W) of any dtype; what lies right of an image and below it means nothing.
        sizes: height and width of each image.
    """

    pixels: Tensor
    sizes: tuple[Size, ...]

    def images(self) -> list[Tensor]:
        """The images, (C, h, w) each, as views."""
        return [self.pixels[index, :, :height, :width] for index, (height, width) in enumerate(self.sizes)]


def stacked(images: Sequence[Tensor], device: torch.device) -> Frames:
    """Images of one canvas in one tensor.

    Args:
        images: (C, h, w) each, of one dtype; `canvas` gives the same for all.
        device: where the tensor is made.
    """
    sizes = tuple((image.shape[1], image.shape[2]) for image in images)
    height, width = canvas(sizes[0])
    if all(size == (height, width) for size in sizes):
        return Frames(torch.stack([image.to(device) for image in images]), sizes)
    pixels = images[0].new_zeros((len(images), images[0].shape[0], height, width), device=device)
    for place, image in zip(pixels, images, strict=True):
        place[:, : image.shape[1], : image.shape[2]] = image
    return Frames(pixels, sizes)


def column(values: Sequence[float], device: torch.device) -> Tensor:
    """A number for each image: (B, 1, 1, 1) float32, rounded from float64 as `numpy.float32` does it."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)[:, None, None, None]


def indices(lines: Sequence[Index], device: torch.device) -> Tensor:
    """Indices of each image, filled up with zeros, to (B, n) int64."""
    longest = max(line.size for line in lines)
    filled = [np.pad(line, (0, longest - line.size)) for line in lines]
    return torch.from_numpy(np.stack(filled).astype(np.int64)).to(device)


def rows_taken(pixels: Tensor, index: Tensor) -> Tensor:
    """(B, C, H, W) and (B, h) to (B, C, h, W): row `index[b, y]` of image b at y."""
    batch, channels, _, width = pixels.shape
    return torch.gather(pixels, 2, index[:, None, :, None].expand(batch, channels, index.shape[1], width))


def columns_taken(pixels: Tensor, index: Tensor) -> Tensor:
    """(B, C, H, W) and (B, w) to (B, C, H, w): column `index[b, x]` of image b at x."""
    batch, channels, height, _ = pixels.shape
    return torch.gather(pixels, 3, index[:, None, None, :].expand(batch, channels, height, index.shape[1]))
