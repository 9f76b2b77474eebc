"""Resizing and blurring of one axis as a matrix, so that a gradient passes both ways through one product.

Pictures of an inversion have sides up to 1024: a dense matrix of (target, source) is small, and a product with it is
exact, differentiable in every type, and the same on every run of a device.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Resampler = Literal["area", "bicubic", "bilinear", "nearest"]
Matrix = NDArray[np.float64]
"""(target, source); every row has the sum 1."""

_KEYS = -0.5
"""The parameter of Keys' kernel (1981) that Pillow has."""
_REACH = 4.0
"""Standard deviations at which a Gaussian is cut off, as SciPy does."""


def resized(way: Resampler, source: int, target: int) -> Matrix:
    """The matrix that brings an axis to another length, pixel centres lying at halves.

    Args:
        way: `area` weighs samples by the share of them under a place (Pillow's BOX, OpenCV's INTER_AREA where it
            shrinks); `bicubic` is antialiased, as Pillow's BICUBIC; `bilinear` takes two neighbours without
            antialiasing, as OpenCV's INTER_LINEAR and the code of mGANprior; `nearest` takes the sample in whose
            middle a place lies, as Pillow's NEAREST.
        source: samples before.
        target: samples after.

    Returns:
        (target, source) float64.

    Raises:
        ValueError: a length below 1, or an unknown way.
    """
    if source < 1 or target < 1:
        raise ValueError(f"a resize from {source} to {target} samples: expected 1 and more")
    scale = source / target
    if way == "area":
        return _normalised(_covered(source, target))
    centre = (np.arange(target) + 0.5) * scale - 0.5
    if way == "nearest":
        return _gathered(np.floor(centre + 0.5)[:, None], np.ones((target, 1)), source)
    if way == "bilinear":
        below = np.floor(centre)
        part = centre - below
        return _gathered(below[:, None] + np.arange(2), np.stack([1.0 - part, part], axis=1), source)
    if way != "bicubic":
        raise ValueError(f"resampler {way!r}: expected area, bicubic, bilinear or nearest")
    return _normalised(_bicubic(source, target))


def blurred(sigma: float, length: int) -> Matrix:
    """The matrix of a Gaussian, its border mirrored without repeating the last sample (OpenCV's BORDER_REFLECT_101).

    Args:
        sigma: standard deviation in samples, above 0.
        length: samples of the axis.

    Returns:
        (length, length) float64.

    Raises:
        ValueError: the Gaussian reaches further than the axis is long, so that there is nothing to mirror.
    """
    reach = max(1, math.ceil(_REACH * sigma))
    if reach >= length:
        raise ValueError(f"a blur of {sigma:g} pixels reaches {reach} pixels, and the picture has {length}: lower it")
    offset = np.arange(-reach, reach + 1)
    weight = np.exp(-0.5 * (offset / sigma) ** 2)
    index = np.abs(np.arange(length)[:, None] + offset)
    index = np.where(index >= length, 2 * (length - 1) - index, index)
    return _gathered(index, np.broadcast_to(weight / weight.sum(), index.shape), length)


def _covered(source: int, target: int) -> Matrix:
    edges = np.arange(target + 1) * (source / target)
    sample = np.arange(source)
    cover = np.minimum(sample + 1, edges[1:, None]) - np.maximum(sample, edges[:-1, None])
    return np.asarray(np.where(cover > 1e-9, cover, 0.0), dtype=np.float64)


def _bicubic(source: int, target: int) -> Matrix:
    """Pillow's `precompute_coeffs`: the kernel widens when it shrinks, and is cut off at the border."""
    scale = source / target
    widened = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    first = np.maximum((centre - 2.0 * widened + 0.5).astype(np.intp), 0)
    end = np.minimum((centre + 2.0 * widened + 0.5).astype(np.intp), source)
    sample = np.arange(source)
    weight = _keys(np.abs(sample - centre[:, None] + 0.5) / widened)
    return np.where((sample >= first[:, None]) & (sample < end[:, None]), weight, 0.0)


def _keys(x: Matrix) -> Matrix:
    inner = ((_KEYS + 2.0) * x - (_KEYS + 3.0)) * x * x + 1.0
    outer = ((x - 5.0) * x + 8.0) * x * _KEYS - 4.0 * _KEYS
    return np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0))


def _gathered(index: Matrix, weight: Matrix, source: int) -> Matrix:
    """Rows with weights at indices; those past the border fall on the last sample."""
    matrix = np.zeros((index.shape[0], source))
    rows = np.broadcast_to(np.arange(index.shape[0])[:, None], index.shape)
    np.add.at(matrix, (rows, np.clip(index, 0, source - 1).astype(np.intp)), weight)
    return matrix


def _normalised(matrix: Matrix) -> Matrix:
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), dtype=np.float64)
