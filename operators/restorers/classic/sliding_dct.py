"""A picture as the 8 x 8 cosine coefficients around every pixel, and back.

Thresholding these coefficients is the translation-invariant DCT denoising of G. Yu and G. Sapiro, "DCT image
denoising: a simple and effective image denoising algorithm", Image Processing On Line 1 (2011).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SIZE = 8

# A window over pixel x reaches from x - 4 to x + 3; the way back mirrors that.
_BACK = SIZE - 1 - SIZE // 2
# Four pixels for the way there and four for the way back.
_MARGIN = SIZE
_TILE = 256


@cache
def basis() -> Plane:
    """Rows of the orthonormal DCT-II, (8, 8) float32."""
    k = np.arange(SIZE, dtype=np.float64)
    rows = np.sqrt(2.0 / SIZE) * np.cos(np.pi * (2.0 * k[np.newaxis] + 1.0) * k[:, np.newaxis] / (2.0 * SIZE))
    rows[0] /= np.sqrt(2.0)
    return np.asarray(rows, dtype=np.float32)


def coefficients(plane: Plane, into: Sequence[Plane] | None = None) -> Iterator[Plane]:
    """The 64 coefficients of the window around every pixel, vertical frequency first.

    Args:
        plane: (H, W) float32.
        into: 64 arrays like `plane` that are written and yielded, for speed; new ones when None. They may be one and
            the same array where each coefficient is done with before the next is asked for.

    Yields:
        (H, W) float32, 64 times.
    """
    into = into or [np.empty_like(plane) for _ in range(SIZE * SIZE)]
    rows = basis()
    # A transform along one axis at a time: the eight sets of sums along the rows serve all 64.
    along = [_filtered(plane, across[np.newaxis], SIZE // 2) for across in rows]
    for index, target in enumerate(into):
        _filtered(along[index % SIZE], rows[index // SIZE][:, np.newaxis], SIZE // 2, target)
        yield target


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
    down, across = _spans(height), _spans(width)
    # One memory for all tiles: to get it anew from the system takes longer than to compute what it holds.
    largest = [max(end - start for start, end in spans) + 2 * _MARGIN for spans in (down, across)]
    memory = np.empty((SIZE * SIZE + 1, *largest), dtype=np.float32)
    for top, bottom in down:
        for left, right in across:
            tile = np.ascontiguousarray(padded[top : bottom + 2 * _MARGIN, left : right + 2 * _MARGIN])
            whole = _shrunk_tile(tile, thresholds, memory[:, : tile.shape[0], : tile.shape[1]])
            result[top:bottom, left:right] = whole[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return result


def _spans(length: int) -> list[tuple[int, int]]:
    """Cut a side into equal parts of at most `_TILE` pixels."""
    count = -(-length // _TILE)
    return list(pairwise(length * index // count for index in range(count + 1)))


def _shrunk_tile(tile: Plane, thresholds: Plane, memory: Plane) -> Plane:
    """Do the work of `shrunk` for one tile; `memory` is (65, H, W) and overwritten."""
    kept, scratch = list(memory[:-1]), memory[-1]
    count = np.ones(tile.shape, dtype=np.uint8)
    for index, coefficient in enumerate(coefficients(tile, kept)):
        if index:  # the window's mean stays
            _drop_small(coefficient, float(thresholds.flat[index]), scratch)
            count += (coefficient != 0.0).view(np.uint8)
    weight = np.reciprocal(count.astype(np.float32))
    rows = basis()[:, ::-1]
    total, sums = np.zeros_like(weight), np.empty_like(weight)
    for index, down in enumerate(rows):
        sums[...] = 0.0
        for coefficient, across in zip(kept[index * SIZE : (index + 1) * SIZE], rows, strict=True):
            np.multiply(coefficient, weight, out=coefficient)
            cv2.add(sums, _filtered(coefficient, across[np.newaxis], _BACK, scratch), dst=sums)
        cv2.add(total, _filtered(sums, down[:, np.newaxis], _BACK, scratch), dst=total)
    ones = np.ones(SIZE, dtype=np.float32)
    weights = _filtered(_filtered(weight, ones[np.newaxis], _BACK), ones[:, np.newaxis], _BACK)
    return np.asarray(total / weights, dtype=np.float32)


def _drop_small(plane: Plane, limit: float, scratch: Plane) -> None:
    """Set to 0, in place, what is not above a limit in magnitude; `scratch` is overwritten."""
    below = float(np.nextafter(np.float32(-limit), np.float32(-np.inf)))
    cv2.threshold(plane, below, 0.0, cv2.THRESH_TOZERO_INV, dst=scratch)
    cv2.threshold(plane, limit, 0.0, cv2.THRESH_TOZERO, dst=plane)
    cv2.add(plane, scratch, dst=plane)


def _filtered(plane: Plane, kernel: Plane, middle: int, into: Plane | None = None) -> Plane:
    """Correlate with a row or a column of weights, of which number `middle` lies over the pixel."""
    anchor = (middle, 0) if kernel.shape[0] == 1 else (0, middle)
    return np.asarray(cv2.filter2D(plane, cv2.CV_32F, kernel, dst=into, anchor=anchor), dtype=np.float32)
