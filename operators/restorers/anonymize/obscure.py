"""Ways to take a face out of a crop: cells, blurred cells, a plain colour. They are functions of the crop alone.

What is shown of a face by `pixelated` and `blurred` are the means of a few cells, so that what can be known of it
afterwards has a bound: a blur by convolution alone can be taken back as far as the rounding of pixels lets it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.restorers.anonymize.region import FEATHER, Head

Crop = NDArray[np.float32]


def pixelated(crop: Crop, cell: float) -> Crop:
    """Cells of one colour each, the mean of what was there, in rows and columns from the middle outwards.

    Args:
        crop: (S, S, 3) float32 in [0, 1].
        cell: side of a cell in pixels, above 0.

    Returns:
        (S, S, 3) float32.
    """
    means, place = _means(crop, cell)
    return np.ascontiguousarray(means[place][:, place])


def blurred(crop: Crop, cell: float) -> Crop:
    """The means of cells, drawn softly: no more is shown than by `pixelated`, and without edges.

    Args:
        crop: (S, S, 3) float32 in [0, 1].
        cell: side of a cell in pixels, above 0.

    Returns:
        (S, S, 3) float32.
    """
    return np.asarray(
        cv2.GaussianBlur(pixelated(crop, cell), (0, 0), sigmaX=0.6 * cell, borderType=cv2.BORDER_REPLICATE), np.float32
    )


def filled(crop: Crop, head: Head, colour: tuple[float, float, float] | None = None) -> Crop:
    """One colour.

    Args:
        crop: (S, S, 3) float32 in [0, 1].
        head: in crop pixels.
        colour: RGB in [0, 1]; None takes the mean of a ring around the head.

    Returns:
        (S, S, 3) float32.
    """
    if colour is None:
        points = np.arange(crop.shape[0], dtype=np.float64)
        distance = head.distance(points, points)
        ring = (distance > 1.0 + FEATHER) & (distance < 1.0 + 2 * FEATHER)
        seen = crop[ring] if ring.any() else np.full((1, 3), 0.5, np.float32)
        mean = seen.mean(axis=0, dtype=np.float64)
        colour = float(mean[0]), float(mean[1]), float(mean[2])
    return np.full(crop.shape, colour, np.float32)


def colour_of(text: str) -> tuple[float, float, float] | None:
    """RGB in [0, 1] of `#rrggbb`; None for `auto`."""
    if text == "auto":
        return None
    red, green, blue = (int(text[at : at + 2], 16) / 255.0 for at in (1, 3, 5))
    return red, green, blue


def _means(crop: Crop, cell: float) -> tuple[Crop, NDArray[np.intp]]:
    """The means of the cells, (n, n, 3), and for each of the S columns (and rows) the number of its cell."""
    side = crop.shape[0]
    numbers = np.floor((np.arange(side) - (side - 1) / 2.0) / max(cell, 1.0) + 0.5).astype(np.intp)
    numbers -= numbers[0]
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    sums = np.add.reduceat(np.add.reduceat(crop.astype(np.float64), starts, axis=0), starts, axis=1)
    sizes = np.diff(starts, append=side)
    return (sums / np.multiply.outer(sizes, sizes)[..., None]).astype(np.float32), numbers
