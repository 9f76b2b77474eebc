"""Floats in [0, 1] to 8-bit levels and back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Image


def eight_bit(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Clipped to [0, 1], times 255, rounded to the nearest level, halves to the even one: uint8 of the same shape."""
    inside = np.clip(values, np.float32(0.0), np.float32(1.0))
    return np.asarray(cv2.convertScaleAbs(inside, alpha=255.0), dtype=np.uint8).reshape(values.shape)


def from_eight_bit(levels: NDArray[np.uint8]) -> Image:
    """Divided by 255: float32 of the same shape."""
    return np.asarray(np.divide(levels, np.float32(255.0), dtype=np.float32))
