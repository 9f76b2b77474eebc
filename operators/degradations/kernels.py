"""Blur kernels of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3) and the face papers, in float64."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kernel = NDArray[np.float64]
Shape = Literal["iso", "aniso", "generalised_iso", "generalised_aniso", "plateau_iso", "plateau_aniso"]


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
    radii, where = _radii(size)
    values = np.full(radii.shape, cutoff**2 / (4.0 * math.pi))
    values[1:] = cutoff * _bessel_j1(cutoff * radii[1:]) / (2.0 * math.pi * radii[1:])
    kernel = values[where]
    return np.asarray(kernel / kernel.sum())


@cache
def _radii(size: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The different distances from the middle in ascending order, and which of them each weight has."""
    axis = np.arange(size, dtype=np.float64) - size // 2
    squares, where = np.unique(np.add.outer(axis**2, axis**2), return_inverse=True)
    return np.sqrt(squares), where.reshape(size, size)


def _bessel_j1(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """J1 by Bessel's integral (DLMF 10.9.2) over a full period, whose two halves are alike.

    The trapezoid rule with n nodes errs by about J of order n - 1, which is below rounding for n = 2 x + 60.
    """
    nodes = math.ceil(float(x.max())) + 30
    turn = np.arange(nodes + 1) * (math.pi / nodes)
    values = np.cos(turn - np.multiply.outer(x, np.sin(turn)))
    return np.asarray((values[:, 1:-1].sum(axis=1) + 0.5 * (values[:, 0] + values[:, -1])) / nodes)
