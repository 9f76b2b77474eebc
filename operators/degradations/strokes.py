"""Parts of a picture taken away altogether, for training completion."""

from __future__ import annotations

import math
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Mask, Size

Share = Annotated[float, Field(ge=0.0, le=1.0)]

_MEAN_ANGLE, _ANGLE_RANGE = 2.0 * math.pi / 5.0, 2.0 * math.pi / 15.0
_FRACTION_BITS = 4


class Strokes(Degradation):
    """White zigzag strokes: the free-form masks of Yu et al. 2019 (arXiv:1806.03589) as GPEN and CodeFormer draw them.

    Turns are 2 pi / 5 +- 2 pi / 15, alternately to one side and the other; the distance from vertex to vertex is normal
    around an eighth of the diagonal.
    """

    count: Annotated[int, Field(ge=0, le=32)]
    """Strokes."""
    vertices_least: Annotated[int, Field(ge=1, le=100)] = 8
    """Vertices of a stroke at least."""
    vertices_most: Annotated[int, Field(ge=1, le=100)] = 27
    """And at most: NumPy's `randint(8, 28)` leaves 28 out."""
    width_least: Annotated[float, Field(ge=0.5, le=512.0)] = 12.0
    """Width of a stroke at least, in pixels where the picture's shorter side is 1024."""
    width_most: Annotated[float, Field(ge=0.5, le=512.0)] = 80.0
    """And at most."""
    fill: Share = 1.0
    """Grey value of the strokes: white, as people paint them."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is 1 in the strokes and 0 elsewhere."""
        canvas = np.zeros(image.shape[:2], dtype=np.uint8)
        for _ in range(self.count):
            self._stroke(canvas, generator)
        return _taken(image, canvas > 0, self.fill)

    def _stroke(self, canvas: NDArray[np.uint8], generator: Generator) -> None:
        height, width = canvas.shape
        low, high = sorted((self.vertices_least, self.vertices_most))
        count = int(generator.integers(low, high + 1))
        least, most = _MEAN_ANGLE - _ANGLE_RANGE * generator.random(), _MEAN_ANGLE + _ANGLE_RANGE * generator.random()
        angles = generator.uniform(least, most, count)
        angles[::2] = 2.0 * math.pi - angles[::2]
        radius = math.hypot(height, width) / 8.0
        steps = np.clip(generator.normal(radius, radius / 2.0, count), 0.0, 2.0 * radius)
        points = [generator.uniform((0.0, 0.0), (width, height))]
        for angle, step in zip(angles, steps, strict=True):
            point = points[-1] + step * np.array([math.cos(angle), math.sin(angle)])
            points.append(np.clip(point, 0.0, (width, height)))
        narrow, wide = sorted((self.width_least, self.width_most))
        thickness = generator.uniform(narrow, wide) * min(height, width) / 1024.0
        fixed = np.rint(np.stack(points) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, 255, max(1, round(thickness)), cv2.LINE_8, _FRACTION_BITS)


class Completion(Degradation):
    """An irregular part of a rectangle taken away: coarse uniform noise, enlarged to it bilinearly and thresholded."""

    left: Share
    """Where the rectangle begins, as a share of the room it leaves."""
    top: Share
    """Likewise from the top."""
    width: Annotated[float, Field(ge=0.02, le=1.0)]
    """Of the picture's width."""
    height: Annotated[float, Field(ge=0.02, le=1.0)]
    """Of the picture's height."""
    cells: Annotated[int, Field(ge=1, le=64)] = 4
    """Noise values along each side."""
    threshold: Share = 0.5
    """Noise above this is taken away."""
    fill: Share = 1.0
    """Grey value of what was taken."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is 1 where the picture was taken away and 0 elsewhere."""
        rows, columns = (max(1, round(part * side)) for part, side in zip(self._extent(), image.shape, strict=False))
        top, left = round(self.top * (image.shape[0] - rows)), round(self.left * (image.shape[1] - columns))
        noise = generator.random((self.cells, self.cells), dtype=np.float32)
        taken = np.zeros(image.shape[:2], dtype=np.bool_)
        enlarged = cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR)
        taken[top : top + rows, left : left + columns] = enlarged > self.threshold
        return _taken(image, taken, self.fill)

    def _extent(self) -> tuple[float, float]:
        return self.height, self.width


def _taken(image: Image, region: NDArray[np.bool_], fill: float) -> Degraded:
    result = image.copy()
    result[region] = np.float32(fill)
    mask: Mask = region.astype(np.float32)
    return Degraded(result, mask)
