"""The same recipes by facejobs: drawn, applied, rounded to 8 bits, as a job of kind `pairs` does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import apply_8bit
from operators.degradations.drawing import draw
from operators.degradations.shipped import shipped

Pixels = NDArray[np.uint8]


def make(name: str, sample: Pixels, variant: int) -> tuple[Pixels, Pixels]:
    """A pair of a shipped recipe.

    Args:
        name: the recipe's.
        sample: (H, W, 3) uint8, RGB.
        variant: which of the pairs of this sample.

    Returns:
        The degraded picture and the target, both uint8 RGB.
    """
    steps = draw(shipped(name), 0, "benchmark", variant)
    pair = apply_8bit(sample, steps)
    return pair.image, pair.target
