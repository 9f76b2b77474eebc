"""How near a picture's pixels come to those of another one."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Plane = NDArray[np.float64]

MOST_DECIBEL = 100.0
"""What equal pictures get, in place of infinity, so that a mean over pictures stays one."""
WINDOW = 11
"""Pixels a side of SSIM's window; smaller pictures have no SSIM."""
_SIGMA = 1.5
_LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601-7, section 2.5.1, in double precision."""
_FULL = 255.0
_STRIP_PIXELS = 1 << 21
"""Pixels that are in double precision at once."""
_STEADY = ((0.01 * _FULL) ** 2, (0.03 * _FULL) ** 2)
"""C1 and C2 of SSIM, K1 = 0.01 and K2 = 0.03."""


def psnr(made: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio over all samples of all channels: 10 log10(255^2 / MSE).

    Args:
        made: (H, W, 3) or (H, W) uint8.
        truth: likewise.

    Returns:
        Decibels, at most `MOST_DECIBEL`.

    Raises:
        ValueError: the shapes differ.
    """
    _check(made, truth)
    error = cv2.norm(made, truth, cv2.NORM_L2SQR) / made.size
    return MOST_DECIBEL if error == 0.0 else min(MOST_DECIBEL, 10.0 * math.log10(_FULL**2 / error))


def ssim(made: Picture, truth: Picture) -> float | None:
    """Structural similarity of the luma planes.

    Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE
    Transactions on Image Processing 13 (2004), equations 13 to 17: 11 x 11 Gaussian window, sigma 1.5, windows that lie
    wholly inside the picture. Luma has the weights of ITU-R BT.601 and is not rounded.

    Args:
        made: (H, W, 3) uint8, RGB.
        truth: likewise.

    Returns:
        At most 1; None for pictures smaller than the window.

    Raises:
        ValueError: the shapes differ.
    """
    _check(made, truth)
    return _mean_ssim(made, truth, luma)


def ssim_rgb(made: Picture, truth: Picture) -> float | None:
    """Mean of the structural similarities of the three channels; see `ssim`."""
    _check(made, truth)
    values = [_mean_ssim(made, truth, partial(_channel, index)) for index in range(3)]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _channel(index: int, picture: Picture) -> Plane:
    return picture[..., index].astype(np.float64)


def luma(picture: Picture) -> Plane:
    """Luma of gamma-coded RGB, ITU-R BT.601 weights.

    Args:
        picture: (H, W, 3) uint8.

    Returns:
        (H, W) float64 in [0, 255].
    """
    return np.asarray(picture @ _LUMA, np.float64)


def _mean_ssim(made: Picture, truth: Picture, plane: Callable[[Picture], Plane]) -> float | None:
    """Mean over all windows inside the picture; strip by strip, since a large scan would need gigabytes at once."""
    height, width = made.shape[:2]
    if min(height, width) < WINDOW:
        return None
    reach = WINDOW - 1
    rows = max(1, _STRIP_PIXELS // width)
    total = 0.0
    for top in range(0, height - reach, rows):
        strip = slice(top, min(height, top + rows + reach))
        total += float(_ssim_map(plane(made[strip]), plane(truth[strip])).sum())
    return float(total / ((height - reach) * (width - reach)))


def _ssim_map(first: Plane, second: Plane) -> Plane:
    mean_1, mean_2 = _smoothed(first), _smoothed(second)
    variance_1 = _smoothed(first * first) - mean_1 * mean_1
    variance_2 = _smoothed(second * second) - mean_2 * mean_2
    covariance = _smoothed(first * second) - mean_1 * mean_2
    c1, c2 = _STEADY
    above = (2.0 * mean_1 * mean_2 + c1) * (2.0 * covariance + c2)
    below = (mean_1 * mean_1 + mean_2 * mean_2 + c1) * (variance_1 + variance_2 + c2)
    return np.asarray(above / below, np.float64)


def _smoothed(plane: Plane) -> Plane:
    """Weighted means of all windows inside the plane, (H - 10, W - 10)."""
    kernel = cv2.getGaussianKernel(WINDOW, _SIGMA, cv2.CV_64F)
    half = WINDOW // 2
    whole = cv2.sepFilter2D(plane, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(whole[half : plane.shape[0] - half, half : plane.shape[1] - half], np.float64)


def _check(made: Picture, truth: Picture) -> None:
    if made.shape != truth.shape or made.size == 0:
        raise ValueError(f"pictures of shapes {made.shape} and {truth.shape}: expected equal ones, not empty")
