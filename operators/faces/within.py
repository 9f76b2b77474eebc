"""Which pixels of a picture may be written, held in a bit each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Window: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class Within:
    """A region of the source's grid.

    Attributes:
        window: left, top, right, bottom (half-open) of the source pixels it speaks of; no other belongs to it.
        bits: (h, ceil(w / 8)) uint8: the region's rows, eight pixels in a byte.
    """

    window: Window
    bits: NDArray[np.uint8]

    @staticmethod
    def of(region: NDArray[np.bool_], window: Window) -> Within:
        """From a (h, w) bool array.

        Raises:
            ValueError: it is not of the window's size.
        """
        left, top, right, bottom = window
        if region.shape != (bottom - top, right - left):
            raise ValueError(f"region of shape {region.shape}: expected {(bottom - top, right - left)}, as its window")
        return Within(window, np.packbits(region, axis=1))

    def region(self) -> NDArray[np.bool_]:
        """(h, w) bool, True where a pixel may be written."""
        return self._rows(0, len(self.bits))

    def inside(self, part: Window) -> NDArray[np.bool_]:
        """The region in another window: (h, w) bool of that window, False where it reaches beyond its own."""
        left, top, right, bottom = part
        result = np.zeros((bottom - top, right - left), np.bool_)
        x0, y0 = max(left, self.window[0]), max(top, self.window[1])
        x1, y1 = min(right, self.window[2]), min(bottom, self.window[3])
        if x0 < x1 and y0 < y1:
            rows = self._rows(y0 - self.window[1], y1 - self.window[1])
            result[y0 - top : y1 - top, x0 - left : x1 - left] = rows[:, x0 - self.window[0] : x1 - self.window[0]]
        return result

    def _rows(self, first: int, last: int) -> NDArray[np.bool_]:
        width = self.window[2] - self.window[0]
        return np.unpackbits(self.bits[first:last], axis=1, count=width).astype(np.bool_)
