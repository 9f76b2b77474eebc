"""How strong the noise of a picture is at each frequency, seen where the picture itself is quiet."""

from __future__ import annotations

import math

import cv2
import numpy as np

from operators.restorers.classic.sliding_dct import SIZE, Plane, coefficients

_BLOCK = 16
_QUIET = 20.0

# The largest middle part that is looked at: enough blocks for a percentile, whatever the crop's size.
_LARGEST = 768


def grain_spectrum(plane: Plane) -> Plane:
    """Standard deviation of the noise in each coefficient of the sliding DCT.

    Each coefficient's mean absolute value is taken in blocks of 16 pixels; the 20th percentile over the blocks, times
    sqrt(pi / 2) as for a normal distribution, is what remains where the picture has least to show
    (white noise is read 12 % low by it). Noise that was
    resampled with the picture is not white, hence one number per frequency. Slow shading fills the lowest frequencies
    of every block, so these are held to what the next higher ones have.

    Args:
        plane: (H, W) float32, at least 32 x 32.

    Returns:
        (8, 8) float32 in the unit of `plane`, symmetric; never negative.
    """
    height, width = plane.shape
    top, left = max(0, (height - _LARGEST) // 2), max(0, (width - _LARGEST) // 2)
    middle = np.ascontiguousarray(plane[top : top + _LARGEST, left : left + _LARGEST])
    blocks = (max(2, middle.shape[1] // _BLOCK), max(2, middle.shape[0] // _BLOCK))
    memory = [np.empty_like(middle)] * SIZE**2
    means = [_block_means(coefficient, blocks) for coefficient in coefficients(middle, memory)]
    levels = np.percentile(np.stack(means).astype(np.float64), _QUIET, axis=(1, 2))
    spectrum = levels.reshape(SIZE, SIZE) * math.sqrt(math.pi / 2.0)
    order = np.add.outer(np.arange(SIZE), np.arange(SIZE))
    next_higher = float(np.median(spectrum[(order == 3) | (order == 4)]))
    spectrum = np.where(order < 3, np.minimum(spectrum, next_higher), spectrum)
    return np.asarray((spectrum + spectrum.T) / 2.0, dtype=np.float32)


def _block_means(coefficient: Plane, blocks: tuple[int, int]) -> Plane:
    magnitude = np.abs(coefficient, out=coefficient)
    return np.asarray(cv2.resize(magnitude, blocks, interpolation=cv2.INTER_AREA), dtype=np.float32)
