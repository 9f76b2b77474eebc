"""How a picture of any size is cut into tiles that the network sees one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.damage.pixels import Pixels, as_floats

GRID = 16
"""The network's coarsest grid, pixels: tiles begin on it, so that all see the same one."""

SMALLEST = 128
"""Pixels of the smallest core."""


@dataclass(frozen=True)
class Window:
    """One tile.

    Attributes:
        top: first row of its core in the picture.
        left: first column.
        rows: of the core that lie in the picture.
        columns: likewise.
    """

    top: int
    left: int
    rows: int
    columns: int


def core_for(height: int, width: int, most: int) -> int:
    """Side of the cores for a picture: the smallest power of two that holds it whole, or the largest allowed."""
    core = SMALLEST
    while core < min(most, max(height, width)):
        core *= 2
    return min(core, most)


def windows(height: int, width: int, core: int) -> Iterator[Window]:
    """Tiles side by side, row by row; the last ones may reach over the picture's border."""
    for top in range(0, height, core):
        for left in range(0, width, core):
            yield Window(top, left, min(core, height - top), min(core, width - left))


def tile_of(source: Pixels, window: Window, core: int, border: int) -> NDArray[np.float32]:
    """What the network is shown: the core and a border as wide as it can see.

    Args:
        source: (H, W, 3), as `as_floats` takes it; only the tile's window is read.
        window: which tile.
        core: side of the core.
        border: pixels on each side of it.

    Returns:
        (4, S, S) float32 with S = core + 2 border: red, green and blue in [-1, 1], and 1 inside the picture. Outside
        of it all four are 0, so that the border of the picture looks the same to each tile that sees it.
    """
    height, width = source.shape[:2]
    top, left = max(0, window.top - border), max(0, window.left - border)
    bottom, right = min(height, window.top + core + border), min(width, window.left + core + border)
    planes = np.zeros((4, core + 2 * border, core + 2 * border), dtype=np.float32)
    rows = slice(top - window.top + border, bottom - window.top + border)
    columns = slice(left - window.left + border, right - window.left + border)
    part = as_floats(source[top:bottom, left:right])
    planes[:3, rows, columns] = part.transpose(2, 0, 1) * np.float32(2.0) - np.float32(1.0)
    planes[3, rows, columns] = 1.0
    return planes
