"""What a picture looks like, in 64 bits that survive resizing and recompression."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 32
_LOW = 8

_DIGITS = 3
"""Decimals of a coefficient that count, in grey levels: a coefficient that is zero by symmetry stays zero."""


def perceptual_hash(view: NDArray[np.uint8]) -> int:
    """DCT hash of a picture ("pHash").

    C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2, whose
    implementation is pHash's `ph_dct_imagehash`. The luma (BT.601) is averaged down to 32 x 32, each axis for itself,
    so the shape of a picture does not count; of its orthonormal DCT-II the rows and columns 0 to 7 are taken. The DC
    term says how bright the picture is, not what it shows: in its place stands the coefficient of row 8, column 0.
    A bit is set where a coefficient is above the median of the 64; bits go row by row, the first is the most
    significant. Coefficients are rounded to 0.001 grey levels, so a blank picture has the hash 0 whatever its tone.

    Args:
        view: (h, w, 3) uint8 RGB or (h, w) uint8, upright; a reduced view does.

    Returns:
        Number from 0 to 2^64 - 1.

    Raises:
        ValueError: the array is no such view.
    """
    if view.dtype != np.uint8 or view.size == 0 or not (view.ndim == 2 or (view.ndim == 3 and view.shape[2] == 3)):
        raise ValueError(f"view of shape {view.shape} and type {view.dtype}: expected (h, w, 3) or (h, w) uint8")
    pixels = np.ascontiguousarray(view)
    grey = pixels if view.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    bits = _low_frequencies(_square(grey))
    above = bits > np.median(bits)
    return int.from_bytes(np.packbits(above).tobytes(), "big")


def _square(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(h, w) uint8 to (32, 32): averaged where there is more, interpolated where there is less."""
    height, width = grey.shape
    reduced = cv2.resize(grey.astype(np.float32), (min(width, _SIDE), min(height, _SIDE)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR), dtype=np.float64)


def _low_frequencies(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """(64,): the low coefficients row by row, with row 8, column 0 in the place of the DC term."""
    cosines = _cosines()
    coefficients = cosines @ square @ cosines.T
    low = coefficients[:_LOW, :_LOW].copy()
    low[0, 0] = coefficients[_LOW, 0]
    return np.asarray(np.round(low, _DIGITS).ravel(), dtype=np.float64)


@cache
def _cosines() -> NDArray[np.float64]:
    """(9, 32): the first rows of the orthonormal DCT-II."""
    rows, columns = np.arange(_LOW + 1)[:, np.newaxis], np.arange(_SIDE)[np.newaxis]
    scale = np.where(rows == 0, np.sqrt(1.0 / _SIDE), np.sqrt(2.0 / _SIDE))
    return np.asarray(scale * np.cos(np.pi * rows * (2 * columns + 1) / (2 * _SIDE)), dtype=np.float64)
