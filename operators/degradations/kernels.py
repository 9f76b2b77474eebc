"""Blur kernels of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3) and the face papers, in float64."""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Image

Kernel = NDArray[np.float64]
Shape = Literal["iso", "aniso", "generalised_iso", "generalised_aniso", "plateau_iso", "plateau_aniso"]

_LOST = 1e-8
"""Weight that may be cut off a kernel's rim: below half a step of float32 at 1, and most of a narrow kernel's cost."""
_NODES = 512


def bell(shape: Shape, size: int, sigma: float, sigma_y: float, angle: float, beta: float) -> Kernel:
    """A bell-shaped kernel.

    With q = x' S^-1 x for the covariance S: Gaussian exp(-q / 2), generalised Gaussian exp(-q^beta / 2) (Pascal et al.
    2013, arXiv:1302.6498, as BasicSR normalises it), plateau 1 / (1 + q^beta).

    Args:
        shape: which; those with `iso` are round, and take neither `sigma_y` nor `angle`.
        size: side in pixels, odd.
        sigma: standard deviation along the first axis, pixels.
        sigma_y: along the second axis, pixels.
        angle: of the first axis against x, radians, towards y (down).
        beta: exponent of generalised Gaussian and plateau; 1 makes the former a Gaussian.

    Returns:
        (size, size) float64, sum 1.
    """
    axis = np.arange(size, dtype=np.float64) - size // 2
    x, y = np.meshgrid(axis, axis)
    if shape.endswith("_iso") or shape == "iso":
        form = (x * x + y * y) / sigma**2
    else:
        along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        form = (along / sigma) ** 2 + (across / sigma_y) ** 2
    if shape.startswith("plateau"):
        kernel = 1.0 / (1.0 + form**beta)
    else:
        kernel = np.exp(-0.5 * (form**beta if shape.startswith("generalised") else form))
    return np.asarray(kernel / kernel.sum())


def sinc(size: int, cutoff: float) -> Kernel:
    """The circular low-pass filter whose ringing Real-ESRGAN adds (its section 3.3): c J1(c r) / (2 pi r).

    Args:
        size: side in pixels, odd.
        cutoff: c, radians per pixel; pi is the highest frequency along an axis.

    Returns:
        (size, size) float64, sum 1; partly negative.
    """
    axis = np.arange(size, dtype=np.float64) - size // 2
    squares, where = np.unique(np.add.outer(axis**2, axis**2), return_inverse=True)
    radii = np.sqrt(squares)
    values = np.full(radii.shape, cutoff**2 / (4.0 * math.pi))
    values[1:] = cutoff * _bessel_j1(cutoff * radii[1:]) / (2.0 * math.pi * radii[1:])
    kernel = values[where.reshape(size, size)]
    return np.asarray(kernel / kernel.sum())


def _bessel_j1(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """J1 by Bessel's integral (DLMF 10.9.2), exact to rounding for |x| < 400: the trapezoid rule over a full period."""
    turn = np.arange(_NODES) * (2.0 * math.pi / _NODES)
    return np.asarray(np.cos(turn - np.multiply.outer(x, np.sin(turn))).mean(axis=-1))


def filtered(image: Image, kernel: Kernel) -> Image:
    """Correlate every channel with a kernel, the border reflected without repeating its pixels (OpenCV's default).

    OpenCV takes kernels above 11 x 11 through a Fourier transform, hence the trimming of weights that float32 loses.
    """
    return np.asarray(cv2.filter2D(image, -1, _trimmed(kernel).astype(np.float32)), dtype=np.float32)


def gaussian(image: Image, size: int, sigma: float) -> Image:
    """The same with a round Gaussian, as two passes of one dimension."""
    axis = np.arange(size, dtype=np.float64) - size // 2
    line = np.exp(-0.5 * (axis / sigma) ** 2)
    line /= line.sum()
    radius = min(size // 2, math.ceil(6.0 * sigma))
    line = line[size // 2 - radius : size // 2 + radius + 1]
    return np.asarray(cv2.sepFilter2D(image, -1, line, line), dtype=np.float32)


def _trimmed(kernel: Kernel) -> Kernel:
    middle = kernel.shape[0] // 2
    distance = np.abs(np.arange(kernel.shape[0]) - middle)
    rings = np.bincount(np.maximum.outer(distance, distance).ravel(), weights=np.abs(kernel).ravel())
    outside = np.cumsum(rings[::-1])[::-1]
    radius = max(1, int(np.count_nonzero(outside > _LOST)) - 1)
    return kernel[middle - radius : middle + radius + 1, middle - radius : middle + radius + 1]
