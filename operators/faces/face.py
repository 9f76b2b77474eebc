"""What is known of one face in one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """One detected face, in pixels of the raster as stored (before EXIF orientation).

    Pixel coordinates put (0, 0) at the centre of the first pixel, as OpenCV does.

    Attributes:
        box: x0, y0, x1, y1.
        landmarks: (5, 2) float64 x, y in the order left eye, right eye, nose, left mouth corner, right mouth corner;
            left and right are the viewer's when the image is upright.
        confidence: detector's score in [0, 1].
        turn: quarter turns clockwise, 0..3, by which the upright image (after EXIF) was turned when the face was found.
    """

    box: tuple[float, float, float, float]
    landmarks: Points
    confidence: float
    turn: int = 0

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes in source pixels."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))


@dataclass(frozen=True)
class Crop:
    """An aligned square cut around a face.

    Attributes:
        pixels: (S, S, 3) float32 in [0, 1], working RGB.
        affine: (2, 3) float64, source pixels (as stored) to crop pixels; a similarity, mirrored where the stored
            raster is.
        size: S.
        reduction: source pixels per crop pixel; above 1 the crop shrinks the face.
    """

    pixels: NDArray[np.float32]
    affine: Affine
    size: int
    reduction: float
