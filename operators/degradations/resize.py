"""Resizing as the papers' code does it."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Mask, Size
from operators.errors import OperatorError

Interpolation = Literal["area", "pool", "bilinear", "bicubic", "nearest", "bicubic_antialiased"]
Factor = Annotated[float, Field(ge=0.01, le=16.0)]

_OPENCV = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "nearest": cv2.INTER_NEAREST_EXACT,
}
MOST_PIXELS = 1 << 26
"""Pixels of a result at most: 67 million, 0.8 GB as float32."""


class Resize(Degradation):
    """Resize to a share of the present or the original size, cut down to whole pixels.

    `bilinear` and `bicubic` are OpenCV's, which equal torch's `interpolate` without antialiasing: GFPGAN, CodeFormer
    and Real-ESRGAN shrink so, and alias. `area` is OpenCV's exact pixel coverage; `pool` is what torch calls area
    (adaptive average pooling over whole pixels), as in Real-ESRGAN. `bicubic_antialiased` is Pillow's, whose kernel
    widens when it shrinks, and `nearest` takes pixel centres as Pillow does: Bringing Old Photos Back to Life.
    """

    version: ClassVar[str] = "2"

    scale: Factor = 1.0
    """Factor on width, and on height unless `scale_y` is above 0."""
    scale_y: Annotated[float, Field(ge=0.0, le=16.0)] = 0.0
    """Factor on height; 0 takes `scale`."""
    divisor: Annotated[float, Field(ge=0.05, le=100.0)] = 1.0
    """What both are divided by: papers that draw "down by 0.8 to 8" are uniform in this."""
    of: Literal["current", "original"] = "current"
    """Which size is scaled."""
    interpolation: Interpolation = "bilinear"
    """How."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Bicubic may overshoot [0, 1].

        Raises:
            OperatorError: `too_large`: the result would be.
        """
        size = self.size((image.shape[0], image.shape[1]), original)
        return Degraded(self.resized(image, size))

    def resized(self, image: Image, size: Size) -> Image:
        """Brought to a height and width."""
        if size == image.shape[:2]:
            return image
        if self.interpolation == "pool":
            return _pooled(image, size)
        if self.interpolation == "bicubic_antialiased":
            return _pillow(image, size)
        resized = cv2.resize(image, (size[1], size[0]), interpolation=_OPENCV[self.interpolation])
        return np.asarray(resized, dtype=np.float32)

    def moved(self, mask: Mask, original: Size) -> Mask:
        """Averaged where it shrinks, bilinear where it grows."""
        height, width = self.size((mask.shape[0], mask.shape[1]), original)
        way = cv2.INTER_AREA if height * width < mask.size else cv2.INTER_LINEAR
        return np.asarray(np.clip(cv2.resize(mask, (width, height), interpolation=way), 0.0, 1.0), dtype=np.float32)

    def size(self, current: Size, original: Size) -> Size:
        """Height and width of the result.

        Raises:
            OperatorError: `too_large`: there would be more than 67 million pixels.
        """
        height, width = current if self.of == "current" else original
        height = math.floor(height * (self.scale_y or self.scale) / self.divisor)
        width = math.floor(width * self.scale / self.divisor)
        height, width = max(1, height), max(1, width)
        if height * width > MOST_PIXELS:
            message = f"found a resize to {width} x {height} pixels, expected at most {MOST_PIXELS} in all"
            raise OperatorError("too_large", f"{message}; lower scale, raise divisor, or leave so large images out")
        return height, width


def _pooled(image: Image, size: Size) -> Image:
    """Means over whole pixels, from floor(i n / count) to ceil((i + 1) n / count): torch's adaptive_avg_pool2d.

    The shares of rows and columns multiply, so that one can come after the other; columns are taken as rows of the
    transposed image, as rows lie together in memory.
    """
    columns = np.asarray(cv2.transpose(_pooled_rows(image, size[0])), dtype=np.float32)
    return np.asarray(cv2.transpose(_pooled_rows(columns, size[1])), dtype=np.float32)


def _pooled_rows(image: Image, count: int) -> Image:
    rows = image.reshape(image.shape[0], -1)
    first, last = _windows(image.shape[0], count)
    heights = last - first
    sums = rows[first]
    for further in range(1, int(heights.max())):
        reached = np.flatnonzero(heights > further)
        if reached.size == count:
            sums += rows[first + further]
        else:
            sums[reached] += rows[first[reached] + further]
    sums /= heights[:, None].astype(np.float32)
    return sums.reshape(count, *image.shape[1:])


def _windows(side: int, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    index = np.arange(count, dtype=np.intp)
    return index * side // count, -((-(index + 1) * side) // count)


def _pillow(image: Image, size: Size) -> Image:
    """Channel by channel, as Pillow has floats of one channel only."""
    planes: list[NDArray[np.float32]] = []
    for channel in range(3):
        plane = Pillow.fromarray(np.ascontiguousarray(image[:, :, channel]))
        planes.append(np.asarray(plane.resize((size[1], size[0]), Pillow.Resampling.BICUBIC), dtype=np.float32))
    return np.ascontiguousarray(np.stack(planes, axis=2))
