"""Damage found without a network, to compare with: line filters, and the classic restorer's own detector."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.restorers.classic.defects import white_defects

Plane = NDArray[np.float32]

_DIRECTIONS = 12


def line_filter(image: NDArray[np.uint8], length: int = 15) -> Plane:
    """How much a pixel lies on a thin line that is lighter or darker than what is around it.

    Opening by a disc takes away what is thin, and opening what remains by lines of several directions keeps what is
    long: the top-hat detectors of film restoration (Kokaram, "Motion Picture Restoration", 1998) and of cracks in
    paintings (Giakoumis, Nikolaidis and Pitas 2006).

    Args:
        image: (H, W, 3) uint8.
        length: of the shortest line, pixels.

    Returns:
        (H, W) float32 in [0, 1]: the height of the line over 64 levels, at most 1.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    found = np.zeros(grey.shape, dtype=np.uint8)
    for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        thin = cv2.morphologyEx(grey, way, disc)
        for step in range(_DIRECTIONS):
            found = np.maximum(found, cv2.morphologyEx(thin, cv2.MORPH_OPEN, _line(length, step)))
    return np.asarray(np.minimum(found / np.float32(64.0), 1.0), dtype=np.float32)


def _line(length: int, step: int) -> NDArray[np.uint8]:
    turn, half = math.pi * step / _DIRECTIONS, length // 2
    element = np.zeros((length, length), dtype=np.uint8)
    dx, dy = round(half * math.cos(turn)), round(half * math.sin(turn))
    cv2.line(element, (half - dx, half - dy), (half + dx, half + dy), 1)
    return element


def classic(image: NDArray[np.uint8], landmarks: Points) -> Plane:
    """What the classic restorer takes for white scratches: on the skin of the face only.

    Args:
        image: (S, S, 3) uint8.
        landmarks: (5, 2) in pixels of the image.

    Returns:
        (S, S) float32, 0 or 1.
    """
    floats = np.asarray(image, dtype=np.float32) / np.float32(255.0)
    return np.asarray(white_defects(floats, landmarks, scratches=True, dust=False) > 0, dtype=np.float32)
