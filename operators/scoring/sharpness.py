"""How sharp a picture is."""

from __future__ import annotations

import math

import cv2
import numpy as np

from operators.scoring.noise import noise_sigma
from operators.scoring.planes import Plane

_SIGMA = 1.0
_TAPS = 4

# A plane without contrast is neither sharp nor blurred; one level of 8 bits is the least that counts.
_LEAST_CONTRAST = 1.0 / 255.0


def sharpness(plane: Plane) -> float | None:
    """Slope of the edges relative to the contrast, with the share of the noise taken away.

    The Tenengrad idea (mean squared gradient; Krotkov 1988, Pech-Pacheco et al. 2000) with three changes that make the
    numbers comparable: the gradient is taken by derivatives of a Gaussian of sigma 1, what white noise of variance n^2
    adds to its mean square, n^2 / (4 pi sigma^4), is subtracted, and the root is divided by the plane's standard
    deviation, so that brightness and contrast cancel. Noise is estimated by `noise_sigma`.

    Args:
        plane: (H, W) float32 in [0, 1].

    Returns:
        Root mean square slope in units of the contrast per pixel, about 0.02 (soft) to 0.3 (crisp); 0 for a constant
        plane; None when the plane is smaller than 9 x 9.
    """
    if min(plane.shape) < 2 * _TAPS + 1:
        return None
    contrast = float(plane.std(dtype=np.float64))
    if contrast < _LEAST_CONTRAST:
        return 0.0
    smooth, slope = _gaussian_pair()
    across = cv2.sepFilter2D(plane, cv2.CV_32F, slope, smooth)
    down = cv2.sepFilter2D(plane, cv2.CV_32F, smooth, slope)
    energy = float(np.mean(across * across + down * down, dtype=np.float64))
    noise = noise_sigma(plane) or 0.0
    energy -= noise * noise / (4.0 * math.pi * _SIGMA**4)
    return math.sqrt(max(0.0, energy)) / contrast


def _gaussian_pair() -> tuple[Plane, Plane]:
    """Gaussian and its derivative as correlation kernels, 2 * _TAPS + 1 taps."""
    x = np.arange(-_TAPS, _TAPS + 1, dtype=np.float64)
    smooth = np.exp(-x * x / (2.0 * _SIGMA**2))
    smooth /= smooth.sum()
    slope = x * smooth / _SIGMA**2
    return smooth.astype(np.float32), slope.astype(np.float32)
