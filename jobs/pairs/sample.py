"""A sample: what is cut out of an image to be a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import to_8bit
from operators.faces.align import cut
from operators.images.colour import to_working
from operators.images.orientation import apply_affine, rotate_upright, upright_size, upright_to_stored
from operators.images.raster import Raster

Kind = Literal["face", "image", "tile"]
Window = tuple[int, int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """Where a target lies in its image.

    Attributes:
        kind: an aligned face, a whole image, or a square out of one.
        index: from 0, among the samples of its image.
        width: of the target in pixels.
        height: of the target in pixels.
        affine: of a face, rows of (2, 3): pixels of the source as stored to pixels of the target.
        window: of an image or a tile: left, top, right, bottom in pixels of the upright image, reduced to width and
            height.
        template: that a face is aligned to.
        landmarks: five, in pixels of the target; empty where no face was found.
        confidence: of the detector; None where no face was found.
    """

    kind: Kind
    index: int
    width: int
    height: int
    affine: tuple[tuple[float, ...], ...] | None = None
    window: Window | None = None
    template: str | None = None
    landmarks: tuple[Point, ...] = ()
    confidence: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": self.kind,
            "index": self.index,
            "width": self.width,
            "height": self.height,
            "template": self.template,
            "affine": [list(row) for row in self.affine] if self.affine else None,
            "window": list(self.window) if self.window else None,
            "landmarks": [list(point) for point in self.landmarks] or None,
            "confidence": self.confidence,
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Sample:
        """From what `to_dict` gave, through JSON or not; other keys are passed over.

        Raises:
            KeyError, TypeError, ValueError: it is no such mapping.
        """
        affine, window = data["affine"], data["window"]
        if (affine is None) == (window is None):
            raise ValueError("expected either an affine or a window")
        left, top, right, bottom = window or (0, 0, 1, 1)
        return Sample(
            kind=data["kind"],
            index=int(data["index"]),
            width=int(data["width"]),
            height=int(data["height"]),
            affine=tuple(tuple(float(value) for value in row) for row in affine) if affine else None,
            window=(int(left), int(top), int(right), int(bottom)) if window else None,
            template=data["template"],
            landmarks=tuple((float(x), float(y)) for x, y in data["landmarks"] or ()),
            confidence=data["confidence"],
        )


def cut_sample(raster: Raster, sample: Sample) -> NDArray[np.uint8]:
    """The target's pixels.

    Args:
        raster: the decoded image.
        sample: found in it.

    Returns:
        (height, width, 3) uint8, RGB. Deep scans are rounded to 8 bits, alpha is left out.

    Raises:
        OperatorError: `outside_image`: a face's square does not touch the image.
        ValueError: a window that the image does not have.
    """
    if sample.affine is not None:
        return to_8bit(cut(raster, np.array(sample.affine, np.float64), sample.width).pixels)
    assert sample.window is not None
    region = to_working(raster, _upright_window(raster, sample.window))
    if region.shape[:2] != (sample.height, sample.width):
        region = np.asarray(
            cv2.resize(region, (sample.width, sample.height), interpolation=cv2.INTER_AREA), dtype=np.float32
        )
    return to_8bit(region)


def _upright_window(raster: Raster, window: Window) -> NDArray[Any]:
    """A part of the upright image; only that part is turned, as an image may have thousands of tiles."""
    height, width = raster.pixels.shape[:2]
    shown = upright_size(width, height, raster.orientation)
    left, top, right, bottom = window
    if not (0 <= left < right <= shown[0] and 0 <= top < bottom <= shown[1]):
        raise ValueError(f"the window {window} lies outside the image of {shown[0]} x {shown[1]} pixels")
    first_last = np.array([(left, top), (right - 1, bottom - 1)])
    stored = apply_affine(upright_to_stored(width, height, raster.orientation), first_last)
    (x0, y0), (x1, y1) = stored.min(axis=0).astype(int).tolist(), stored.max(axis=0).astype(int).tolist()
    return rotate_upright(raster.pixels[y0 : y1 + 1, x0 : x1 + 1], raster.orientation)
