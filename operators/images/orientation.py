"""EXIF orientations as exact pixel-coordinate transforms (CIPA DC-008, tag 0x0112)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Orientation to (mirror columns first, then quarter turns clockwise) that show the stored image upright.
_STEPS: dict[int, tuple[bool, int]] = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 3),
    6: (False, 1),
    7: (True, 1),
    8: (False, 3),
}


def upright_size(width: int, height: int, orientation: int, turns: int = 0) -> tuple[int, int]:
    """Return (width, height) of the image as it is shown.

    Args:
        width: stored columns.
        height: stored rows.
        orientation: EXIF value 1..8.
        turns: quarter turns clockwise after the orientation was applied.
    """
    return (height, width) if (_steps(orientation)[1] + turns) % 2 else (width, height)


def stored_to_upright(width: int, height: int, orientation: int, turns: int = 0) -> NDArray[np.float64]:
    """Return the affine that takes stored pixel coordinates to upright ones.

    Args:
        width: stored columns.
        height: stored rows.
        orientation: EXIF value 1..8.
        turns: quarter turns clockwise after the orientation was applied.

    Returns:
        (2, 3) float64 A with upright = A @ (x, y, 1); (0, 0) is the centre of the first pixel, so that whole
        coordinates map to whole coordinates.
    """
    mirrored, quarter_turns = _steps(orientation)
    matrix = np.array([[-1, 0, width - 1], [0, 1, 0]] if mirrored else [[1, 0, 0], [0, 1, 0]], np.float64)
    for _ in range((quarter_turns + turns) % 4):
        # Clockwise: (x, y) of a (width, height) image becomes (height - 1 - y, x).
        matrix = np.array([-matrix[1] + [0, 0, height - 1], matrix[0]])
        width, height = height, width
    return matrix


def upright_to_stored(width: int, height: int, orientation: int, turns: int = 0) -> NDArray[np.float64]:
    """Return the inverse of `stored_to_upright`; `width` and `height` are the stored ones here too."""
    forward = stored_to_upright(width, height, orientation, turns)
    linear = forward[:, :2].T
    return np.column_stack([linear, -linear @ forward[:, 2]])


def apply_affine(matrix: NDArray[np.float64], points: NDArray[Any]) -> NDArray[np.float64]:
    """Transform (..., 2) points x, y by a (2, 3) affine."""
    transformed: NDArray[np.float64] = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return transformed


def rotate_upright(pixels: NDArray[Any], orientation: int, turns: int = 0) -> NDArray[Any]:
    """Show a stored (H, W, C) array upright, as a contiguous copy.

    Args:
        pixels: (H, W, C) of any type.
        orientation: EXIF value 1..8.
        turns: quarter turns clockwise after the orientation was applied.
    """
    mirrored, quarter_turns = _steps(orientation)
    flipped = pixels[:, ::-1] if mirrored else pixels
    return np.ascontiguousarray(np.rot90(flipped, -(quarter_turns + turns)))


def _steps(orientation: int) -> tuple[bool, int]:
    if orientation not in _STEPS:
        raise ValueError(f"orientation {orientation}: expected an EXIF value from 1 to 8")
    return _STEPS[orientation]
