"""How noisy a picture is."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

# The difference of two Laplacians, blind to planes and to edges along the axes (Immerkaer 1996, section 2).
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)


def noise_sigma(plane: NDArray[np.float32]) -> float | None:
    """Standard deviation of additive white noise, by the fast method of Immerkaer.

    J. Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64 (1996): the mean
    absolute response to a mask that ignores smooth structure, scaled by sqrt(pi / 2) / 6. Fine texture is counted as
    noise, and noise that was enlarged with the picture is missed.

    Args:
        plane: (H, W) float32 in [0, 1].

    Returns:
        Sigma in the unit of `plane`, at least 0; None when the plane is smaller than 3 x 3.
    """
    height, width = plane.shape[:2]
    if height < 3 or width < 3:
        return None
    response = cv2.filter2D(plane, cv2.CV_32F, _MASK)[1:-1, 1:-1]
    total = float(np.abs(response).sum(dtype=np.float64))
    return math.sqrt(math.pi / 2.0) * total / float(6 * (width - 2) * (height - 2))
