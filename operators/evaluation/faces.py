"""The one face of a picture that measures speak of, and where the same face is in another version of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from operators.faces.detect import DetectOptions, Detector
from operators.faces.face import Points
from operators.faces.templates import template_points
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster

Picture = NDArray[np.uint8]
Where = Literal["found", "truth", "template", "none"]

_VIEW_PIXELS = 2_000_000
"""Larger pictures are reduced to this for the search."""
_SMALLEST_EYES = 8.0
"""Pixels between the eyes of the smallest face that is looked for; YuNet sees few below."""
_STRAYED = 0.5
"""Mean distance of landmarks, in eye distances, from which on another face or none was found."""


@dataclass(frozen=True)
class Place:
    """Where a picture's face is.

    Attributes:
        landmarks: (5, 2) float64 in pixels; None where nothing is known.
        where: `found` by the detector; taken over from the `truth`, which shows the same face in the same place; from
            the alignment `template`, for square pictures in which no face is found; or `none`.
        turn: quarter turns clockwise in which it was found.
    """

    landmarks: Points | None
    where: Where
    turn: int = 0


class FaceFinder:
    """Finds faces with YuNet. Threads cannot share it.

    Args:
        template: alignment of square pictures in which no face is found.

    Raises:
        operators.models.ModelFileError: the detector's file is missing or not the expected one.
        ValueError: there is no such template.
    """

    def __init__(self, template: str = "ffhq") -> None:
        template_points(template, 1)
        self._template = template
        self._detector = Detector(DetectOptions(min_eye_distance=_SMALLEST_EYES))

    def find(self, picture: Picture) -> Place:
        """The largest face of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB.
        """
        raster, view, scale = _viewed(picture)
        faces = self._detector.find(lambda: raster, view, scale)
        if faces:
            return Place(faces[0].landmarks, "found", faces[0].turn)
        height, width = picture.shape[:2]
        return Place(template_points(self._template, width), "template") if width == height else Place(None, "none")

    def again(self, picture: Picture, truth: Place) -> Place:
        """The face of another version of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, as large as the one in which `truth` was found.
            truth: the face there.

        Returns:
            What the detector finds near the place where it has to be, or that place itself.
        """
        expected = truth.landmarks
        if truth.where != "found" or expected is None:
            return truth
        raster, view, scale = _viewed(picture)
        faces = self._detector.refine(raster, self._detector.detect(view, scale, turn=truth.turn))
        near = min(faces, key=lambda face: landmark_distance(face.landmarks, expected), default=None)
        if near is None or landmark_distance(near.landmarks, expected) > _STRAYED:
            return Place(expected, "truth", truth.turn)
        return Place(near.landmarks, "found", near.turn)


def landmark_distance(made: Points, truth: Points) -> float:
    """Mean distance of five landmarks, in eye distances of the truth.

    The normalised mean error by which methods of face alignment are compared.

    Args:
        made: (5, 2) pixels.
        truth: (5, 2) pixels.
    """
    eyes = math.dist(truth[0], truth[1])
    return float(np.linalg.norm(made - truth, axis=1).mean()) / eyes if eyes > 0 else math.inf


def _viewed(picture: Picture) -> tuple[Raster, Picture, tuple[float, float]]:
    raster = Raster(np.ascontiguousarray(picture), "rgb")
    reduced = reduce_raster(raster, min(1.0, math.sqrt(_VIEW_PIXELS / (raster.width * raster.height))))
    return raster, reduced.pixels, (reduced.scale_x, reduced.scale_y)
