"""The luma plane that the measures work on, at a size at which their numbers can be compared."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Crops from 64 to 2048 px are measured at this side, so that a face gives about the same numbers at any crop size.
COMMON_SIDE = 512

# Where the skin is in an aligned square, as fractions of its side: x0, y0, x1, y1. Outside it hair and background rule.
_FACE_BOX = (0.2, 0.25, 0.8, 0.9)


def luma(rgb: NDArray[np.float32]) -> Plane:
    """Luma of gamma-coded RGB, ITU-R BT.601 weights.

    Args:
        rgb: (H, W, 3) float32 in [0, 1].

    Returns:
        (H, W) float32 in [0, 1].
    """
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), dtype=np.float32)


def resized(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square image at another side: averaged over areas when it shrinks, bicubic when it grows.

    Args:
        image: (S, S) or (S, S, C) float32.
        side: the wanted side in pixels.

    Returns:
        (side, side) or (side, side, C) float32; the input itself when it already has that side.
    """
    if image.shape[0] == side:
        return image
    method = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), dtype=np.float32)


def face_part(plane: Plane) -> Plane:
    """The part of an aligned square that shows the face rather than hair or background.

    Args:
        plane: (S, S) float32.

    Returns:
        A view of `plane`.
    """
    side = plane.shape[0]
    x0, y0, x1, y1 = (round(part * side) for part in _FACE_BOX)
    return plane[y0:y1, x0:x1]
