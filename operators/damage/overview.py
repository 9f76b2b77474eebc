"""A picture made smaller, on which wide damage is looked for, and what is found there at the picture's own size.

A tear or a missing corner grows with the picture, and the network sees 93 pixels around a point: at 1024 pixels it
sees a piece of white edge and cannot tell a tear from a collar.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.damage.kinds import KINDS, Kind
from operators.damage.pixels import LEAST_SIDE, Pixels, as_floats
from operators.damage.tiles import Window

WIDE: tuple[Kind, ...] = ("tear", "corner")
"""Kinds of damage that are looked for on the smaller picture.

Stamps, whose strokes are fine, are found as well or better on the picture itself (docs/damage.md).
"""

PLACES = tuple(KINDS.index(kind) for kind in WIDE)
"""Of these kinds among the network's planes."""

_ROWS = 16
"""Rows that are read at once."""


def overview_size(height: int, width: int, longer: int) -> tuple[int, int] | None:
    """Height and width of the smaller picture.

    Args:
        height: of the picture, pixels.
        width: likewise.
        longer: side that the longer one becomes; 0 for none.

    Returns:
        None where the picture is no larger, or no smaller one is wanted. A strip so narrow that its other side would
        have fewer than 16 pixels keeps 16.
    """
    most = max(height, width)
    if longer == 0 or most <= longer:
        return None
    rows, columns = (min(side, max(LEAST_SIDE, round(side * longer / most))) for side in (height, width))
    return rows, columns


def reduced(source: Pixels, size: tuple[int, int]) -> NDArray[np.float32]:
    """The smaller picture: each pixel the mean of the area that it stands for.

    Args:
        source: (H, W, 3), as `as_floats` takes it; a few rows of it are read at a time.
        size: height and width of the result, no more than the source's.

    Returns:
        (height, width, 3) float32 in [0, 1].

    Raises:
        ValueError, OperatorError: as `as_floats`.
    """
    rows, columns = size
    height = source.shape[0]
    result = np.empty((rows, columns, 3), dtype=np.float32)
    for row in range(rows):
        top, bottom = row * height / rows, (row + 1) * height / rows
        total = np.zeros((1, columns, 3), dtype=np.float32)
        for first in range(int(top), int(np.ceil(bottom)), _ROWS):
            numbers = np.arange(first, min(first + _ROWS, int(np.ceil(bottom)), height))
            shares = np.minimum(numbers + 1, bottom) - np.maximum(numbers, top)
            part = as_floats(source[numbers[0] : numbers[-1] + 1])
            line = np.tensordot(shares.astype(np.float32), part, axes=1)[np.newaxis]
            total += np.asarray(cv2.resize(line, (columns, 1), interpolation=cv2.INTER_AREA), dtype=np.float32)
        result[row] = total[0] / np.float32(bottom - top)
    return np.clip(result, np.float32(0.0), np.float32(1.0))


def enlarged_part(maps: NDArray[np.float32], window: Window, height: int, width: int) -> NDArray[np.float32]:
    """What was found on the smaller picture, in a window of the picture itself; between pixels it is linear.

    Args:
        maps: (K, h, w) float32, of the whole smaller picture.
        window: of the picture.
        height: of the picture.
        width: likewise.

    Returns:
        (K, rows, columns) float32. Windows side by side fit together without a seam.
    """
    upper, lower, down = _between(window.top, window.rows, height, maps.shape[1])
    left, right, across = _between(window.left, window.columns, width, maps.shape[2])
    lines = maps[:, upper] * (1.0 - down)[:, np.newaxis] + maps[:, lower] * down[:, np.newaxis]
    return np.asarray(lines[:, :, left] * (1.0 - across) + lines[:, :, right] * across, dtype=np.float32)


def _between(
    first: int, count: int, whole: int, small: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For pixels of a side: the two of the smaller side that each lies between, and how near it is to the second."""
    place = np.clip((np.arange(first, first + count) + 0.5) * small / whole - 0.5, 0.0, small - 1.0)
    before = np.floor(place).astype(np.intp)
    return before, np.minimum(before + 1, small - 1), (place - before).astype(np.float32)
