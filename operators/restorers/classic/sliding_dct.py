"""A picture as the 8 x 8 cosine coefficients around every pixel, and back.

Thresholding these coefficients is the translation-invariant DCT denoising of G. Yu and G. Sapiro, "DCT image
denoising: a simple and effective image denoising algorithm", Image Processing On Line 1 (2011).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SIZE = 8

# A window over pixel x reaches from x - 4 to x + 3; the way back mirrors that.
_BACK = (SIZE - 1 - SIZE // 2,) * 2
# Four pixels for the way there and four for the way back.
_MARGIN = SIZE
_TILE = 256


def basis() -> Plane:
    """Rows of the orthonormal DCT-II, (8, 8) float32."""
    k = np.arange(SIZE, dtype=np.float64)
    rows = np.sqrt(2.0 / SIZE) * np.cos(np.pi * (2.0 * k[np.newaxis] + 1.0) * k[:, np.newaxis] / (2.0 * SIZE))
    rows[0] /= np.sqrt(2.0)
    return np.asarray(rows, dtype=np.float32)


def coefficients(plane: Plane) -> Iterator[Plane]:
    """The 64 coefficients of the window around every pixel, vertical frequency first.

    Args:
        plane: (H, W) float32.

    Yields:
        (H, W) float32, 64 times.
    """
    rows = basis()
    for down in rows:
        for across in rows:
            yield np.asarray(cv2.sepFilter2D(plane, cv2.CV_32F, across, down), dtype=np.float32)


def shrunk(plane: Plane, thresholds: Plane) -> Plane:
    """The plane without the coefficients that are below their threshold.

    Overlapping windows are averaged with the reciprocal of their number of remaining coefficients as weight, so that
    windows which need few (smooth ones) count more (O. Guleryuz, "Weighted averaging for denoising with overcomplete
    dictionaries", IEEE Transactions on Image Processing 16, 2007). A window's mean is always kept.

    Args:
        plane: (H, W) float32.
        thresholds: (8, 8) float32, for each vertical and horizontal frequency.

    Returns:
        (H, W) float32. It is computed tile by tile, so that memory does not grow with the plane; the tiles overlap so
        far that they leave no trace.
    """
    height, width = plane.shape
    padded = cv2.copyMakeBorder(plane, *(_MARGIN,) * 4, cv2.BORDER_REFLECT_101)
    result = np.empty_like(plane)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            tile = padded[top : bottom + 2 * _MARGIN, left : right + 2 * _MARGIN]
            result[top:bottom, left:right] = _shrunk_tile(tile, thresholds)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return result


def _shrunk_tile(tile: Plane, thresholds: Plane) -> Plane:
    limits = thresholds.ravel()
    kept: list[Plane] = []
    count = np.ones_like(tile)
    for index, coefficient in enumerate(coefficients(np.ascontiguousarray(tile))):
        # Index 0 is the window's mean, which stays.
        large = np.abs(coefficient) > limits[index] if index else np.ones(tile.shape, dtype=np.bool_)
        kept.append(coefficient * large)
        count += large if index else 0.0
    weight = np.reciprocal(count)
    rows = basis()[:, ::-1].copy()
    total = np.zeros_like(weight)
    for index, coefficient in enumerate(kept):
        down, across = rows[index // SIZE], rows[index % SIZE]
        total += cv2.sepFilter2D(coefficient * weight, cv2.CV_32F, across, down, anchor=_BACK)
    ones = np.ones(SIZE, dtype=np.float32)
    return np.asarray(total / cv2.sepFilter2D(weight, cv2.CV_32F, ones, ones, anchor=_BACK), dtype=np.float32)
