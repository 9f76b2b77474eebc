"""The part of a picture that shows a head, from its landmarks: what has to go when nobody may recognise the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Affine, Points
from operators.faces.geometry import magnification

# Proportions of an adult head in units of the distance between the pupils, about 63 mm, larger than those of the oval
# in which a restored face is pasted (`operators.faces.mask`): ear to ear it is about 190 mm, from above the hairline to
# below the chin about 235 mm.
_HALF_BREADTH = 1.6
_ABOVE_EYES = 1.75
_BELOW_EYES = 2.25
_EYES_TO_MOUTH = 1.04
"""Distance between the eyes' middle and the mouth's in the same unit; stands in for it when the head is turned away."""
_MOST_ASIDE = 0.35
"""Limit, in the same unit, of how far the oval moves aside when the head is turned."""
_TURNED = 0.35
"""How much broader, in the same unit, the oval of a head in half profile is: the far ear and the nape come in view."""
FEATHER = 0.12
"""Part of the oval's radius outside it along which the picture begins again."""


@dataclass(frozen=True)
class Head:
    """An oval around a head.

    Attributes:
        centre: (2,) float64 x, y.
        across: (2,) unit vector from the viewer's left to right, perpendicular to `down`.
        down: (2,) unit vector from forehead to chin.
        radii: half its breadth and half its length, in the same pixels.
    """

    centre: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    radii: tuple[float, float]

    def distance(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far points lie out, 1 being the oval's edge.

        Args:
            x: columns, (w,).
            y: rows, (h,).

        Returns:
            (h, w) float64.
        """
        sideways, lengthwise = (
            np.add.outer((y - self.centre[1]) * axis[1] / radius, (x - self.centre[0]) * axis[0] / radius)
            for axis, radius in zip((self.across, self.down), self.radii, strict=True)
        )
        return np.asarray(np.hypot(sideways, lengthwise), np.float64)

    def outline(self, scale: float = 1.0) -> Points:
        """Corners of the box, turned as the oval is, around the oval times `scale`; (4, 2)."""
        a, b = self.across * self.radii[0] * scale, self.down * self.radii[1] * scale
        return np.array([self.centre - a - b, self.centre + a - b, self.centre + a + b, self.centre - a + b])

    def moved(self, affine: Affine) -> Head:
        """The oval under a similarity, which may mirror."""
        linear, scale = affine[:, :2], magnification(affine)
        return Head(
            linear @ self.centre + affine[:, 2],
            linear @ self.across / scale,
            linear @ self.down / scale,
            (self.radii[0] * scale, self.radii[1] * scale),
        )


def unit_of(landmarks: Points) -> float:
    """Distance between the eyes of a face as it would be from the front, in pixels of the landmarks (5, 2)."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    drop = float(np.hypot(*(mouth - eyes)))
    return max(float(np.hypot(*(landmarks[1] - landmarks[0]))), drop / _EYES_TO_MOUTH, 1e-6)


def head_of(landmarks: Points, margin: float = 1.0) -> Head:
    """Find the oval that holds a whole head: forehead and hairline, chin, ears.

    Args:
        landmarks: (5, 2) float64 in any pixels that are not mirrored.
        margin: factor of both radii.

    Returns:
        The oval in the same pixels.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    drop = float(np.hypot(*(mouth - eyes)))
    unit = unit_of(landmarks)
    down = (mouth - eyes) / drop if drop > 0 else np.array([0.0, 1.0])
    across = np.array([down[1], -down[0]])
    # When the head is turned, the nose leaves the line from eyes to mouth to one side; more of it lies on the other.
    turned = float((landmarks[2] - eyes) @ across) / unit
    aside = float(np.clip(turned, -_MOST_ASIDE, _MOST_ASIDE))
    breadth = _HALF_BREADTH + _TURNED * min(abs(turned) / _MOST_ASIDE, 1.0)
    centre = eyes + unit * (down * (_BELOW_EYES - _ABOVE_EYES) / 2.0 - across * aside)
    length = (_ABOVE_EYES + _BELOW_EYES) / 2.0
    return Head(centre, across, down, (breadth * unit * margin, length * unit * margin))


def weight(distance: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much of a pixel is the anonymised face's: 1 in the whole oval, sinking to 0 along the feather outside it.

    Args:
        distance: of `Head.distance`.

    Returns:
        The same shape, float32 in [0, 1].
    """
    t = np.clip(1.0 - (distance - 1.0) / FEATHER, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)
