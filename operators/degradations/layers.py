"""How damage meets a picture: laid over it, or as a dye in it. Where its share is 0, a pixel keeps its very bits."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Image, Mask, Plane

GAMMA = 2.2
"""Display values are taken as the power 1 / 2.2 of linear light (IEC 61966-2-1 without its straight part)."""

_DARKEST = np.float32(1.0 / 255.0)


def in_channels(plane: Plane) -> Image:
    """(H, W) float32 three times over: NumPy is slow where it has to spread a last axis of one."""
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), dtype=np.float32)


def along_rows(values: Sequence[float] | NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Three values, one for each channel, as (1, width, 3) float32: NumPy is slow over a last axis of three."""
    return np.tile(np.asarray(values, dtype=np.float32), (1, width, 1))


def laid(image: Image, tone: Sequence[float] | Image, share: Mask) -> Image:
    """An opaque tone over a picture.

    Args:
        image: (H, W, 3) float32.
        tone: three values in [0, 1], or an image.
        share: (H, W) float32 in [0, 1], how much of each pixel it covers.
    """
    over = np.asarray(tone, dtype=np.float32)
    return between(image, over if over.ndim == 3 else along_rows(over, image.shape[1]), share)


def between(first: Image, second: NDArray[np.float32], share: Plane) -> Image:
    """The first where the share is 0, the second where it is 1, a weighted mean where it lies between."""
    result = np.asarray(second - first, dtype=np.float32)
    result *= in_channels(share)
    result += first
    return result


def dyed(image: Image, densities: Sequence[float], share: Plane) -> Image:
    """A transparent dye in a picture (Beer and Lambert: densities add, light is multiplied).

    Args:
        image: (H, W, 3) float32 in [0, 1].
        densities: optical density for red, green and blue at a share of 1.
        share: (H, W) float32, not negative.
    """
    exponents = np.asarray(densities, dtype=np.float32) * np.float32(-1.0 / GAMMA)
    powers = in_channels(share) * along_rows(exponents, image.shape[1])
    return np.asarray(image * np.power(np.float32(10.0), powers), dtype=np.float32)


def density(image: Image) -> Image:
    """Optical density of display values: -log10 of linear light, at most 5.3 (black of 8 bits)."""
    return np.asarray(np.log10(np.maximum(image, _DARKEST)) * np.float32(-GAMMA), dtype=np.float32)


def from_density(densities: Image) -> Image:
    """Display values of optical densities, clipped to [0, 1]."""
    values = np.power(np.float32(10.0), densities * np.float32(-1.0 / GAMMA))
    return np.asarray(np.clip(values, 0.0, 1.0), dtype=np.float32)


def luma(image: Image) -> Plane:
    """(H, W) float32: ITU-R BT.601 luma of display values."""
    return np.asarray(image @ np.array([0.299, 0.587, 0.114], dtype=np.float32), dtype=np.float32)


def clipped(image: Image) -> Image:
    """Held to [0, 1]."""
    return np.asarray(np.clip(image, 0.0, 1.0), dtype=np.float32)
