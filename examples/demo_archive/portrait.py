"""The one source picture, and pieces of it at any size."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""(H, W) grey or (H, W, 3) RGB, float32, 0 black to 1 white, as stored in the file (gamma-encoded)."""

CREDIT = "NASA, portrait of astronaut Eileen Collins, public domain"
SIDE = 512
EYE_DISTANCE = 47.1
"""Pixels between the eyes in the source picture, as YuNet measures them."""

# Plates before panchromatic emulsion saw blue and green and next to no red.
ORTHOCHROMATIC = (0.08, 0.52, 0.40)
# ITU-R BT.601 luma.
PANCHROMATIC = (0.299, 0.587, 0.114)


@cache
def _source() -> Picture:
    """The portrait that scikit-image carries in its wheel; reading it needs no network."""
    picture: Picture = skimage.data.astronaut().astype(np.float32) / np.float32(255)
    picture.setflags(write=False)
    return picture


def piece(box: tuple[int, int, int, int], scale: float, *, mirrored: bool = False) -> Picture:
    """Cut a box out of the portrait and scale it.

    Args:
        box: x0, y0, x1, y1 in pixels of the 512 x 512 source; x1 and y1 are outside.
        scale: output pixels per source pixel; shrinking averages areas, enlarging uses Lanczos.
        mirrored: swap left and right.

    Returns:
        (H, W, 3) RGB in [0, 1].

    Raises:
        ValueError: the box is empty or leaves the source.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= SIDE and 0 <= y0 < y1 <= SIDE):
        raise ValueError(f"box {box}: expected x0 < x1 and y0 < y1 inside 0..{SIDE}")
    cut = _source()[y0:y1, x0:x1]
    size = (round((x1 - x0) * scale), round((y1 - y0) * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    scaled = cv2.resize(cut, size, interpolation=method)
    return np.asarray(np.clip(scaled[:, ::-1] if mirrored else scaled, 0, 1), np.float32)


def grey(picture: Picture, weights: tuple[float, float, float] = ORTHOCHROMATIC) -> Picture:
    """Weighted sum of red, green and blue: (H, W, 3) to (H, W)."""
    # Not a matrix product: BLAS sums in an order that depends on its number of threads, and the bytes would too.
    red, green, blue = (picture[..., band] * np.float32(weight) for band, weight in enumerate(weights))
    return np.asarray(red + green + blue, np.float32)
