"""Which pixels of an aligned square are skin, and where highlights are part of the face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points


def skin(side: int, landmarks: Points) -> NDArray[np.bool_]:
    """An ellipse from the forehead to the chin.

    Args:
        side: of the square in pixels.
        landmarks: (5, 2) float64 in its pixels.

    Returns:
        (side, side) bool.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    axis = mouth - eyes
    distance = float(np.hypot(*(landmarks[1] - landmarks[0])))
    height = float(np.hypot(*axis))
    mask = np.zeros((side, side), dtype=np.uint8)
    centre = eyes + 0.3 * axis
    # At 512 px in the FFHQ template: 190 px up and down from below the eyes, 120 px to either side.
    half = (max(1, round(1.45 * height)), max(1, round(0.95 * distance)))
    turn = float(np.degrees(np.arctan2(axis[1], axis[0])))
    cv2.ellipse(mask, _pixel(centre), half, turn, 0.0, 360.0, 255, thickness=-1)
    return mask > 0


def highlights(side: int, landmarks: Points) -> NDArray[np.bool_]:
    """The band of the eyes with room for glasses, the tip of the nose, and the mouth.

    Args:
        side: of the square in pixels.
        landmarks: (5, 2) float64 in its pixels.

    Returns:
        (side, side) bool.
    """
    mask = np.zeros((side, side), dtype=np.uint8)
    left, right, nose, mouth_left, mouth_right = landmarks
    distance = float(np.hypot(*(right - left)))
    beyond = 0.5 * (right - left)
    _stroke(mask, left - beyond, right + beyond, 0.8 * distance)
    _stroke(mask, nose, nose, 0.7 * distance)
    _stroke(mask, mouth_left, mouth_right, 0.55 * distance)
    return mask > 0


def _stroke(mask: NDArray[np.uint8], start: NDArray[np.float64], end: NDArray[np.float64], width: float) -> None:
    cv2.line(mask, _pixel(start), _pixel(end), 255, thickness=max(1, round(width)))


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
