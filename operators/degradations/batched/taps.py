"""Resizing of one axis as weighted sums of a few samples, for each way to interpolate that recipes have."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Size
from operators.degradations.resize import Interpolation

_CUBIC = -0.75
"""OpenCV's cubic parameter, and torch's."""
_CUBIC_PILLOW = -0.5


@dataclass(frozen=True)
class Taps:
    """Which samples make each place of a resized axis.

    Attributes:
        index: (T, n) sample.
        weight: (T, n) float32 weight; 0 where a place needs fewer than T.
    """

    index: NDArray[np.intp]
    weight: NDArray[np.float32]


def taps(way: Interpolation, source: Size, target: Size) -> tuple[Taps, Taps]:
    """Taps for rows and for columns.

    Args:
        way: of `Resize`.
        source: height and width before.
        target: height and width after.
    """
    # OpenCV covers areas only where neither axis grows, and has a kind of bilinear instead.
    shrinks = all(before >= after for before, after in zip(source, target, strict=True))
    rows, columns = (_axis(way, shrinks, before, after) for before, after in zip(source, target, strict=True))
    return rows, columns


def _axis(way: Interpolation, shrinks: bool, source: int, target: int) -> Taps:
    if way == "nearest":
        return _nearest(source, target)
    if way == "pool":
        return _pool(source, target)
    if way == "bicubic_antialiased":
        return _pillow(source, target)
    if way == "area":
        return _area(source, target) if shrinks else _area_bilinear(source, target)
    return _centred(way, source, target)


def _centred(way: Interpolation, source: int, target: int) -> Taps:
    """Bilinear or bicubic with pixel centres at halves."""
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    below = np.floor(position)
    part = position - below
    first = below.astype(np.intp)
    if way == "bilinear":
        return _clamped(first + np.arange(2)[:, None], np.stack([1.0 - part, part]), source)
    distance = np.abs(part - np.arange(-1, 3)[:, None])
    return _clamped(first + np.arange(-1, 3)[:, None], _cubic(distance, _CUBIC), source)


def _cubic(distance: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Keys 1981: the kernel at distances of 0 and more."""
    x = distance
    inner = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    outer = ((x - 5.0) * x + 8.0) * x * a - 4.0 * a
    return np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0))


def _area_bilinear(source: int, target: int) -> Taps:
    ratio = target / source
    place = np.arange(target)
    first = np.floor(place * (1.0 / ratio))
    part = (place + 1) - (first + 1) * ratio
    part = np.where(part <= 0.0, 0.0, part - np.floor(part))
    return _clamped(first.astype(np.intp) + np.arange(2)[:, None], np.stack([1.0 - part, part]), source)


def _area(source: int, target: int) -> Taps:
    """Each sample by the share of it that lies under the place."""
    edges = np.arange(target + 1) * (source / target)
    first = np.floor(edges[:-1] + 1e-9).astype(np.intp)
    index = first + np.arange(math.ceil(source / target) + 1)[:, None]
    cover = np.minimum(index + 1, edges[1:]) - np.maximum(index, edges[:-1])
    cover = np.where(cover > 1e-9, cover, 0.0)
    return _clamped(index, cover / cover.sum(axis=0), source)


def _pool(source: int, target: int) -> Taps:
    """Means over whole samples."""
    place = np.arange(target, dtype=np.intp)
    first, end = place * source // target, -((-(place + 1) * source) // target)
    index = first + np.arange(int((end - first).max()))[:, None]
    return _clamped(index, (index < end) / (end - first), source)


def _pillow(source: int, target: int) -> Taps:
    """Pillow's bicubic (`precompute_coeffs` in Resample.c): widened when it shrinks, cut off at the border."""
    scale = source / target
    widened = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    first = np.maximum((centre - 2.0 * widened + 0.5).astype(np.intp), 0)
    end = np.minimum((centre + 2.0 * widened + 0.5).astype(np.intp), source)
    index = first + np.arange(int((end - first).max()))[:, None]
    weight = _cubic(np.abs(index - centre + 0.5) / widened, _CUBIC_PILLOW)
    weight = np.where(index < end, weight, 0.0)
    return _clamped(index, weight / weight.sum(axis=0), source)


def _nearest(source: int, target: int) -> Taps:
    """OpenCV's own choice, asked for with a row of numbers."""
    row = np.arange(source, dtype=np.float32)[None]
    chosen = cv2.resize(row, (target, 1), interpolation=cv2.INTER_NEAREST_EXACT)
    return Taps(np.asarray(chosen, dtype=np.intp), np.ones((1, target), dtype=np.float32))


def _clamped(index: NDArray[np.intp], weight: NDArray[np.float64], source: int) -> Taps:
    return Taps(np.clip(index, 0, source - 1), weight.astype(np.float32))
