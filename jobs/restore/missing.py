"""What of a face a completion job makes anew, where the picture or a file beside it says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jobs.restore.attributes import attributes_of
from jobs.restore.holes import Holes
from jobs.restore.work import FaceWork, ImageWork
from jobs.spec.completion import HoleSource
from operators.completion.regions import (
    Region,
    colour_region,
    grown,
    hidden_from,
    shown_in,
    without_specks,
)
from operators.faces.face import Crop
from operators.faces.geometry import bounds, invert, pixel_window, square_corners, transform
from operators.faces.mask import face_mask
from operators.faces.resample import Window
from operators.faces.within import Within
from operators.images.colour import to_working
from operators.images.limits import Limits
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import Raster
from operators.restorers.completion.options import SeeingOptions
from pipeline.records import Record

_BACK = {6: 8, 8: 6}
"""Orientations whose inverse is another one; all others are their own."""


@dataclass(frozen=True)
class Missing:
    """How a completion job knows what is missing; travels to workers.

    Attributes:
        source: where it is said.
        masks: folder of mask images, for `files`.
        colour: key colour, RGB from 0 to 1, for `colour`.
        tolerance: most that a channel may differ from it.
        grow: crop pixels around a hole that are made anew with it.
        specks: holes of fewer crop pixels are left alone.
        seeing: what looks for it in crops, for `damage` and `occlusion`; None for the others.
        catalogue: columns of attributes, by the attribute's name.
    """

    source: HoleSource
    masks: Holes | None = None
    colour: tuple[float, float, float] | None = None
    tolerance: float = 0.0
    grow: float = 0.0
    specks: int = 0
    seeing: SeeingOptions | None = None
    catalogue: Mapping[str, str] = field(default_factory=dict)

    def mark(
        self,
        record: Record,
        work: ImageWork,
        limits: Limits,
        waiting: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """Set the picture's attributes and, where the source is no matter of the crop alone, the holes of its faces.

        Args:
            record: of the picture.
            work: its crops cut, its raster at hand.
            limits: past which a mask image is not decoded.
            waiting: entered while a file is fetched.

        Raises:
            OperatorError: `bad_attribute` or `bad_mask`.
            StorageError: a mask image cannot be read.
        """
        work.attributes = attributes_of(record.metadata, self.catalogue)
        if self.seeing is not None or all(face.crop is None for face in work.faces):
            return
        assert work.raster is not None
        seen = self._reader(record, work, work.raster, limits, waiting)
        for face in work.faces:
            if face.crop is not None:
                self._mark(face, face.crop, work.raster, seen)

    def _mark(self, face: FaceWork, crop: Crop, raster: Raster, seen: Callable[[Window], Region]) -> None:
        """Set one face's hole from a region of the source."""
        radius = self.grow * crop.reduction
        window = window_of(crop, raster.width, raster.height, radius + 1.0)
        region = grown(without_specks(seen(window), self.specks * crop.reduction**2), radius)
        settle(face, crop, region, window)
        if face.within is not None:
            face.hole = hidden_from(region, window, crop.affine, crop.size)

    def _reader(
        self,
        record: Record,
        work: ImageWork,
        raster: Raster,
        limits: Limits,
        waiting: Callable[[str], AbstractContextManager[None]],
    ) -> Callable[[Window], Region]:
        """What tells the missing pixels of a window of the picture as stored."""
        if self.source == "alpha":
            return lambda window: _transparent(raster, window)
        if self.source == "colour":
            colour = self.colour
            assert colour is not None
            return lambda window: colour_region(to_working(raster, _cut(raster, window)), colour, self.tolerance)
        assert self.masks is not None
        mask = self.masks.read(record.key, work.info, limits, waiting(record.key))
        if mask is None:
            return _nothing
        work.mask = {"uri": mask.uri, "sha256": mask.sha256}
        return lambda window: _white(mask.raster, window, raster)


def settle(face: FaceWork, crop: Crop, region: Region, window: Window) -> None:
    """Note which pixels of the source may be written for a face, and how much of the face that is.

    Args:
        face: gets `within` (None where nothing is missing inside its square), `hole` (empty) and `missing`.
        crop: of the face.
        region: (h, w) bool, missing pixels of the source.
        window: where they are.
    """
    square = np.zeros((crop.size, crop.size), np.bool_)
    square[1:-1, 1:-1] = True
    inside = region & shown_in(square, crop.affine, window)
    assert face.landmarks is not None
    oval = shown_in(face_mask(face.landmarks, crop.size) > 0.5, crop.affine, window)
    face.missing = float((inside & oval).sum()) / max(1.0, float(oval.sum()))
    face.hole = np.zeros((crop.size, crop.size), np.bool_)
    face.within = Within.of(inside, window) if inside.any() else None


def window_of(crop: Crop, width: int, height: int, margin: float = 0.0) -> Window:
    """The source pixels that a crop's square and a margin around it touch: left, top, right, bottom, half-open."""
    return pixel_window(transform(square_corners(crop.size), invert(crop.affine)), width, height, margin)


def filled(hole: NDArray[np.bool_] | None, size: int) -> NDArray[np.uint8]:
    """The mask with which a completed crop is pasted.

    It is the part that the network made anew, which reaches further than what may be written; `FaceWork.within` has the
    last word, so nothing here need sink to 0.

    Args:
        hole: (size, size) bool; None for a face without one.
        size: side of the crop.

    Returns:
        (size, size) uint8, 255 where the crop was made anew; 0 on its outermost pixels.
    """
    mask = np.zeros((size, size), np.uint8)
    if hole is not None:
        mask[1:-1, 1:-1] = hole[1:-1, 1:-1] * np.uint8(255)
    return mask


def share_of(mask: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> float:
    """Share of a face's oval that is made anew.

    Args:
        mask: (S, S) uint8, above 0 where it is.
        landmarks: (5, 2) float64 in crop pixels.
    """
    oval = face_mask(landmarks, mask.shape[0]) > 0.5
    return float((oval & (mask > 0)).sum()) / max(1.0, float(oval.sum()))


def opaque(raster: Raster, faces: list[FaceWork]) -> None:
    """Make visible what was filled where the picture was transparent.

    Args:
        raster: with opacity; written where faces were pasted.
        faces: those that were.
    """
    if not raster.alpha:
        return
    for face in faces:
        if face.within is not None:
            left, top, right, bottom = face.within.window
            opacity = raster.pixels[top:bottom, left:right, -1]
            opacity[face.within.region()] = raster.full_scale


def _cut(raster: Raster, window: Window) -> NDArray[np.uint8] | NDArray[np.uint16]:
    left, top, right, bottom = window
    return raster.pixels[top:bottom, left:right]


def _nothing(window: Window) -> Region:
    left, top, right, bottom = window
    return np.zeros((bottom - top, right - left), np.bool_)


def _transparent(raster: Raster, window: Window) -> Region:
    """Pixels that are less than half opaque."""
    if not raster.alpha:
        return _nothing(window)
    return np.asarray(_cut(raster, window)[:, :, -1] <= raster.full_scale // 2, np.bool_)


def _white(mask: Raster, window: Window, raster: Raster) -> Region:
    """Pixels of a picture as stored that its mask, which is upright, shows nearer to white than to black."""
    upright = stored_to_upright(raster.width, raster.height, raster.orientation, 0)
    left, top, right, bottom = window
    corners = np.array([[left, top], [right - 1.0, bottom - 1.0]])
    x0, y0, x1, y1 = (math.floor(value + 0.5) for value in bounds(transform(corners, upright)))
    pixels = mask.pixels[y0 : y1 + 1, x0 : x1 + 1]
    light = to_working(mask, pixels).mean(axis=2, keepdims=True)
    stored = rotate_upright(light, _BACK.get(raster.orientation, raster.orientation))
    return np.asarray(stored[:, :, 0] >= 0.5, np.bool_)
