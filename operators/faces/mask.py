"""The feathered shape inside which a restored face replaces the original."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points

# Proportions of an adult face in units of the distance between the pupils, about 63 mm: half the face's breadth is
# about 70 mm, the hairline lies about 75 mm above the eyes and the chin about 118 mm below. Rounded, and checked by
# eye on portraits; a child's face is rounder and lies within.
_HALF_BREADTH = 1.15
_ABOVE_EYES = 1.20
_BELOW_EYES = 1.90
_EYES_TO_MOUTH = 1.04
"""Distance between the eyes' middle and the mouth's in the same unit; stands in for it when the head is turned away."""
_MOST_ASIDE = 0.3
"""Limit, in the same unit, of how far the oval moves aside when the head is turned."""
_INNER = 0.80
_OUTER = 1.15
"""Radii of the oval, 1 being the face's outline: full inside the first, nothing outside the second."""
_BORDER = 0.06
"""Part of the crop's side along which the mask sinks to nothing at the border."""


def _smoothstep(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rise from 0 at 0 to 1 at 1 with no kink at either end (3 t^2 - 2 t^3)."""
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def face_mask(landmarks: Points, size: int) -> NDArray[np.float32]:
    """Make the mask of a face from its landmarks: an oval from forehead to chin with a soft edge.

    Args:
        landmarks: (5, 2) float64 in crop pixels.
        size: side of the crop in pixels.

    Returns:
        (size, size) float32 in [0, 1]; exactly 0 on the outermost pixels.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    drop = float(np.hypot(*(mouth - eyes)))
    unit = max(float(np.hypot(*(landmarks[1] - landmarks[0]))), drop / _EYES_TO_MOUTH)
    down = (mouth - eyes) / drop if drop > 0 else np.array([0.0, 1.0])
    across = np.array([down[1], -down[0]])
    # When the head is turned, the nose leaves the line from eyes to mouth to one side; more cheek shows on the other.
    aside = float(np.clip((landmarks[2] - eyes) @ across, -_MOST_ASIDE * unit, _MOST_ASIDE * unit))
    centre = eyes + down * unit * (_BELOW_EYES - _ABOVE_EYES) / 2.0 - across * aside
    pixels = np.arange(size, dtype=np.float64)
    lengthwise, sideways = (
        np.add.outer(
            ((pixels - centre[1]) * axis[1] / radius).astype(np.float32),
            ((pixels - centre[0]) * axis[0] / radius).astype(np.float32),
        )
        for axis, radius in ((down, (_ABOVE_EYES + _BELOW_EYES) / 2.0 * unit), (across, _HALF_BREADTH * unit))
    )
    distance = np.sqrt(lengthwise * lengthwise + sideways * sideways)
    oval = _smoothstep((_OUTER - distance) / (_OUTER - _INNER))
    edge = (np.minimum(pixels, size - 1 - pixels) / (_BORDER * size)).astype(np.float32)
    return oval * _smoothstep(np.minimum.outer(edge, edge))
