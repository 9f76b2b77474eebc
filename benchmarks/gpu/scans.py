"""Synthetic scans with drawn faces whose places are known. Drawn with numpy alone, so that any machine has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# Left eye, right eye, nose, left and right corner of the mouth, as parts of the face's square.
_POINTS = np.array([(0.377, 0.469), (0.623, 0.469), (0.501, 0.614), (0.393, 0.726), (0.604, 0.726)])


@dataclass(frozen=True)
class Scan:
    """A picture and what is on it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        landmarks: one (5, 2) float64 for each face, in pixels.
    """

    pixels: Pixels
    landmarks: tuple[NDArray[np.float64], ...]


def draw(seed: int, width: int, height: int, faces: int) -> Scan:
    """Draw a scan; the same arguments give the same pixels.

    Args:
        seed: of the colours, places and grain.
        width: pixels.
        height: pixels.
        faces: their number, on a grid.

    Returns:
        The scan.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    shade = 90 + 60 * rows / height + 25 * np.sin(columns / width * 7 + seed)
    picture = shade[..., None] * np.array([1.0, 0.93, 0.82], np.float32)
    across = int(np.ceil(np.sqrt(faces * width / height)))
    down = int(np.ceil(faces / across))
    side = 0.8 * min(width / across, height / down)
    landmarks = []
    for number in range(faces):
        corner = np.array([(number % across + 0.1) * width / across, (number // across + 0.1) * height / down])
        corner += random.uniform(0, 0.05 * side, 2)
        _face(picture, corner, side, random)
        landmarks.append(corner + _POINTS * side)
    picture += random.normal(0, 6, (height, width, 1)).astype(np.float32)
    return Scan(np.clip(picture, 0, 255).astype(np.uint8), tuple(landmarks))


def _face(picture: NDArray[np.float32], corner: NDArray[np.float64], side: float, random: np.random.Generator) -> None:
    """An oval with eyes, brows, nose and mouth."""
    skin = random.uniform(150, 225) * np.array([1.0, 0.82, 0.7])
    dark = skin * 0.25
    _oval(picture, corner + side * np.array([0.5, 0.36]), (0.36 * side, 0.32 * side), dark)
    _oval(picture, corner + side * np.array([0.5, 0.55]), (0.32 * side, 0.42 * side), skin)
    for x, y in _POINTS[:2]:
        _oval(picture, corner + side * np.array([x, y]), (0.06 * side, 0.032 * side), np.array([240.0, 240.0, 235.0]))
        _oval(picture, corner + side * np.array([x, y]), (0.026 * side, 0.028 * side), dark * 0.6)
        _oval(picture, corner + side * np.array([x, y - 0.07]), (0.075 * side, 0.013 * side), dark)
    _oval(picture, corner + side * _POINTS[2], (0.045 * side, 0.03 * side), skin * 0.8)
    middle = (_POINTS[3] + _POINTS[4]) / 2
    _oval(picture, corner + side * middle, (0.11 * side, 0.03 * side), np.array([170.0, 80.0, 80.0]))


def _oval(
    picture: NDArray[np.float32],
    centre: NDArray[np.float64],
    radii: tuple[float, float],
    colour: NDArray[np.float64],
) -> None:
    left, top = (max(0, int(centre[axis] - radii[axis])) for axis in (0, 1))
    right, bottom = (int(centre[axis] + radii[axis]) + 2 for axis in (0, 1))
    window = picture[top:bottom, left:right]
    rows, columns = np.mgrid[0 : window.shape[0], 0 : window.shape[1]]
    distance = ((columns + left - centre[0]) / radii[0]) ** 2 + ((rows + top - centre[1]) / radii[1]) ** 2
    window[distance <= 1] = colour
