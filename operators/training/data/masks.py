"""What is taken away of a face that is to be completed, drawn by number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.completion.drawing import CELLS, LEAST_EXTENT, MOST_EXTENT, THRESHOLD
from operators.degradations.distributions import pick
from operators.degradations.strokes import Completion, Strokes

Mask = NDArray[np.uint8]
SHAPES = ("noise", "rectangle", "strokes", "half")
MOST_STROKES = 4
"""Strokes of a mask; one to so many are drawn."""


@dataclass(frozen=True)
class Masks:
    """How often each shape is drawn, and how large rectangles are.

    Attributes:
        noise: weight of the paper's mask (arXiv 1801.07632, section 4.1): 4 x 4 uniform noise, enlarged to a random
            rectangle and thresholded.
        rectangle: weight of a whole rectangle.
        strokes: weight of free strokes (arXiv 1806.03589).
        half: weight of the left, right, upper or lower half.
        least: side of a rectangle as a share of the picture's, at least.
        most: likewise, at most.
    """

    noise: float = 1.0
    rectangle: float = 0.0
    strokes: float = 0.0
    half: float = 0.0
    least: float = LEAST_EXTENT
    most: float = MOST_EXTENT

    def __post_init__(self) -> None:
        if not any(self.weights):
            raise ValueError("every weight is 0, expected one of noise, rectangle, strokes and half above 0")
        if self.least > self.most:
            raise ValueError(f"least {self.least:g} is more than most {self.most:g}")

    @property
    def weights(self) -> tuple[float, float, float, float]:
        """In the order of the shapes."""
        return self.noise, self.rectangle, self.strokes, self.half


def drawn_mask(size: int, masks: Masks, generator: np.random.Generator) -> Mask:
    """Draw a mask.

    Args:
        size: pixels a side.
        masks: what may come.
        generator: to draw from.

    Returns:
        (size, size) uint8, 1 where the picture is taken away and 0 elsewhere; never empty.
    """
    shape = SHAPES[pick(masks.weights, generator)]
    while True:
        mask = _drawn(shape, size, masks, generator)
        if mask.any():
            return mask


def _drawn(shape: str, size: int, masks: Masks, generator: np.random.Generator) -> Mask:
    match shape:
        case "noise":
            return _rectangle(size, masks, generator, THRESHOLD)
        case "rectangle":
            return _rectangle(size, masks, generator, 0.0)
        case "strokes":
            return _of(Strokes(count=int(generator.integers(1, MOST_STROKES + 1))), size, generator)
        case _:
            return _half(size, generator)


def _rectangle(size: int, masks: Masks, generator: np.random.Generator, threshold: float) -> Mask:
    width, height = generator.uniform(masks.least, masks.most, 2)
    left, top = generator.random(2)
    taken = Completion(left=left, top=top, width=width, height=height, cells=CELLS, threshold=threshold)
    return _of(taken, size, generator)


def _half(size: int, generator: np.random.Generator) -> Mask:
    mask = np.zeros((size, size), np.uint8)
    middle = size // 2
    side = int(generator.integers(4))
    rows = (slice(None), slice(None), slice(middle), slice(middle, None))[side]
    columns = (slice(middle), slice(middle, None), slice(None), slice(None))[side]
    mask[rows, columns] = 1
    return mask


def _of(taken: Completion | Strokes, size: int, generator: np.random.Generator) -> Mask:
    drawn = taken.degrade(np.zeros((size, size, 3), np.float32), generator, (size, size)).mask
    assert drawn is not None
    return np.asarray(drawn, np.uint8)
