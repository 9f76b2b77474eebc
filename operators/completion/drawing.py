"""What training of face completion draws: masks M ~ p_mask, attributes A_obs ~ p_attr (arXiv 1801.07632, section 4.1).

Both are functions of a NumPy generator alone, so that a step of training can be drawn again from its seed and number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.degradations.strokes import Completion

LEAST_EXTENT, MOST_EXTENT = 0.25, 0.8
"""Sides of the rectangle, as shares of the picture's: those of the recipe `face-completion`; the paper names none."""
CELLS, THRESHOLD = 4, 0.5
"""Noise values along a side of the rectangle, and above which of them a pixel is taken away."""
KEEP = 0.5
"""How often the attributes stay as they are."""

Generator = np.random.Generator


def random_mask(size: int, generator: Generator) -> NDArray[np.float32]:
    """Draw a mask: uniform noise of 4 x 4 values, enlarged bilinearly to a random rectangle, and thresholded.

    Args:
        size: pixels a side.
        generator: to draw from.

    Returns:
        (size, size) float32, 1 where the picture is taken away and 0 elsewhere. It may come out empty, rarely.
    """
    width, height = generator.uniform(LEAST_EXTENT, MOST_EXTENT, 2)
    left, top = generator.random(2)
    taken = Completion(left=left, top=top, width=width, height=height, cells=CELLS, threshold=THRESHOLD)
    mask = taken.degrade(np.zeros((size, size, 3), np.float32), generator, (size, size)).mask
    assert mask is not None
    return mask


def random_masks(count: int, size: int, seed: int, first: int = 0) -> NDArray[np.float32]:
    """Masks number `first` and following of a seed: each depends on the seed and its own number alone.

    Returns:
        (count, 1, size, size) float32.
    """
    numbers = range(first, first + count)
    drawn = [random_mask(size, np.random.Generator(np.random.PCG64([seed, number]))) for number in numbers]
    return np.stack(drawn)[:, None]


def flipped(attributes: NDArray[np.float32], generator: Generator) -> NDArray[np.float32]:
    """Draw what the generator is asked for: with p < 0.5 the real attributes, else one of them, drawn evenly, flipped.

    Args:
        attributes: (N, A) float32 in [0, 1], real ones; each row is drawn for itself.
        generator: to draw from. Two numbers are taken for each row, whatever comes of them.

    Returns:
        (N, A), a new array; a_i becomes 1 - a_i. Equal to `attributes` where there are none.
    """
    result: NDArray[np.float32] = np.array(attributes, np.float32)
    count = result.shape[1]
    for row in result:
        p, place = generator.random(2)
        if count and p >= KEEP:
            index = min(int(place * count), count - 1)
            row[index] = np.float32(1.0) - row[index]
    return result
