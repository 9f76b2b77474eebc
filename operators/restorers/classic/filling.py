"""Filling marked pixels of a face from around them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_RADIUS = 3.0


def filled(face: NDArray[np.float32], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Fill what is marked; every other pixel keeps its value.

    A. Telea, "An Image Inpainting Technique Based on the Fast Marching Method", Journal of Graphics Tools 9 (2004),
    channel by channel in floating point.

    Args:
        face: (S, S, C) float32 in [0, 1].
        mask: (S, S) uint8, not 0 where to fill.

    Returns:
        (S, S, C) float32 in [0, 1]; the input itself when nothing is marked.
    """
    if not mask.any():
        return face
    # OpenCV's weights hold constants that suit levels of 8 bits: on values from 0 to 1 they give nonsense.
    levels = np.ascontiguousarray(face.transpose(2, 0, 1)) * np.float32(255.0)
    channels = [cv2.inpaint(channel, mask, _RADIUS, cv2.INPAINT_TELEA) for channel in levels]
    values = np.clip(np.stack(channels, axis=-1) / np.float32(255.0), 0.0, 1.0)
    return np.where(mask[..., np.newaxis] > 0, values, face).astype(np.float32)
