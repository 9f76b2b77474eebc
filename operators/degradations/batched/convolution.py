"""Convolution of many images, each with a kernel of its own, through the Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from operators.degradations.batched.frames import (
    Frames,
    Index,
    columns_taken,
    indices,
    rows_taken,
    side_class,
)
from operators.degradations.contract import Size
from operators.degradations.kernels import Kernel


def lengths(size: Size, side: int) -> Size:
    """Rows and columns of the transform for an image and a kernel, from their own sizes alone."""
    margin = 2 * 8 * math.ceil((side // 2) / 8)
    return _fast(side_class(size[0]) + margin), _fast(side_class(size[1]) + margin)


def filtered(frames: Frames, kernels: Sequence[Kernel]) -> Frames:
    """Correlate each image with its kernel, the border reflected without repeating its pixels.

    Args:
        frames: (B, C, H, W) float32.
        kernels: (k, k) of each image, k odd; `lengths` of all images and kernels are the same.
    """
    device = frames.pixels.device
    height, width = lengths(frames.sizes[0], kernels[0].shape[0])
    pairs = list(zip(frames.sizes, kernels, strict=True))
    rows = [reflected(height, size[0], kernel.shape[0] // 2) for size, kernel in pairs]
    columns = [reflected(width, size[1], kernel.shape[0] // 2) for size, kernel in pairs]
    spread = columns_taken(rows_taken(frames.pixels, indices(rows, device)), indices(columns, device))
    padded = np.zeros((len(kernels), 1, height, width), dtype=np.float32)
    for place, kernel in zip(padded, kernels, strict=True):
        place[0, : kernel.shape[0], : kernel.shape[1]] = kernel
    spectrum = torch.fft.rfft2(torch.from_numpy(padded).to(device)).conj()
    # The kernel starts at 0 and the image's border before it, so a result lies where its image did. What the circular
    # transform wraps around falls on the last rows and columns, which no image reaches.
    product = torch.fft.rfft2(spread).mul_(spectrum)
    return Frames(torch.fft.irfft2(product, s=(height, width)), frames.sizes)


def reflected(length: int, count: int, before: int) -> Index:
    """Index for a line that begins `before` samples ahead of the first and is reflected at both ends (reflect 101)."""
    if count == 1:
        return np.zeros(length, dtype=np.intp)
    turn = np.mod(np.arange(length, dtype=np.intp) - before, 2 * (count - 1))
    return np.asarray(np.minimum(turn, 2 * (count - 1) - turn), dtype=np.intp)


def _fast(length: int) -> int:
    """The next even number with no prime factor above 7, for which Fourier transforms are fast."""
    length += length % 2
    while _rough(length) > 1:
        length += 2
    return length


def _rough(number: int) -> int:
    for prime in (2, 3, 5, 7):
        while number % prime == 0:
            number //= prime
    return number
