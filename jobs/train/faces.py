"""What is kept of a picture: its largest face, aligned; a square as it is; or the whole of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jobs.train.pictures import Pixels, fitted
from operators.degradations.applying import to_8bit
from operators.errors import OperatorError
from operators.faces.align import align, coverage, cut
from operators.faces.detect import DetectOptions, Detector
from operators.faces.geometry import compose, magnification, scaling, translation
from operators.images.colour import to_working
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster


@dataclass
class AlignedFace:
    """The largest face of a picture, on a template, with a margin.

    Attributes:
        size: pixels a side of a sample.
        template: where eyes, nose and mouth come to lie.
        margin: around the square, as a share of its side on each side.
        oversampling: pixels that are kept for each of a sample.
        min_confidence: least confidence of the detector.
        max_enlargement: pixels of a sample for each of the picture, at most.
        min_coverage: least part of the square that lies inside the picture.
    """

    size: int
    template: str
    margin: float
    oversampling: float
    min_confidence: float
    max_enlargement: float
    min_coverage: float
    _detector: Detector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._detector = Detector(DetectOptions(min_confidence=self.min_confidence))

    @property
    def side(self) -> int:
        """Pixels a side of what is kept."""
        return round(self.size * (1 + 2 * self.margin) * self.oversampling)

    def __call__(self, raster: Raster) -> Pixels:
        """The face, (side, side, 3) uint8 RGB.

        Raises:
            OperatorError: `no_face`, `face_too_small`, `not_covered`.
        """
        view = reduce_raster(raster, self._detector.needed_scale(raster.width, raster.height))
        scale = (view.scale_x, view.scale_y)
        found = self._detector.find(lambda: raster, view.pixels, scale, raster.orientation)
        if not found:
            raise OperatorError("no_face", "no face was found")
        upright = stored_to_upright(raster.width, raster.height, raster.orientation, found[0].turn)
        affine = align(found[0].landmarks, self.template, self.size, upright)
        if magnification(affine) > self.max_enlargement:
            raise OperatorError("face_too_small", "the face has fewer pixels than a sample")
        if coverage(affine, self.size, raster.width, raster.height) < self.min_coverage:
            raise OperatorError("not_covered", "the face's square reaches out of the picture")
        around = self.size * self.margin
        kept = compose(affine, translation(around, around), scaling(self.side / (self.size + 2 * around)))
        return to_8bit(cut(raster, kept, self.side).pixels)


@dataclass(frozen=True)
class Square:
    """A picture that is an aligned square already.

    Attributes:
        size: pixels a side of a sample.
        side: pixels a side of what is kept.
        max_enlargement: pixels of a sample for each of the picture, at most.
    """

    size: int
    side: int
    max_enlargement: float

    def __call__(self, raster: Raster) -> Pixels:
        """The picture, (side, side, 3) uint8 RGB.

        Raises:
            OperatorError: `not_square`, `face_too_small`.
        """
        picture = whole(raster)
        height, width = picture.shape[:2]
        if height != width:
            raise OperatorError("not_square", "it is no square")
        if self.size > width * self.max_enlargement:
            raise OperatorError("face_too_small", "it has fewer pixels than a sample")
        return fitted(picture, self.side, self.side)


@dataclass(frozen=True)
class Whole:
    """A whole picture, upright.

    Attributes:
        size: pixels a side of a sample.
        reduce_to: shorter side to which larger pictures are reduced; None keeps them.
    """

    size: int
    reduce_to: int | None

    def __call__(self, raster: Raster) -> Pixels:
        """The picture, (H, W, 3) uint8 RGB.

        Raises:
            OperatorError: `too_small_picture`.
        """
        picture = whole(raster)
        height, width = picture.shape[:2]
        shorter = min(height, width)
        if self.reduce_to is not None and shorter > self.reduce_to:
            scale = self.reduce_to / shorter
            picture = fitted(
                picture, max(round(width * scale), self.reduce_to), max(round(height * scale), self.reduce_to)
            )
        if min(picture.shape[:2]) < self.size:
            raise OperatorError("too_small_picture", "a side is shorter than a sample")
        return picture


def whole(raster: Raster) -> Pixels:
    """All of a picture, upright, (H, W, 3) uint8 RGB; deep scans are rounded to 8 bits, alpha is left out."""
    return np.ascontiguousarray(to_8bit(to_working(raster, rotate_upright(raster.pixels, raster.orientation))))
