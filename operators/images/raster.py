"""The decoded image that every operator works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Space = Literal["gray", "rgb", "cmyk"]

COLOUR_BANDS: dict[Space, int] = {"gray": 1, "rgb": 3, "cmyk": 4}


@dataclass
class Raster:
    """An image as its file stores it: own depth, own colour space, stored (not upright) orientation.

    Attributes:
        pixels: (H, W, C) uint8 or uint16, C-contiguous; C is the colour bands of `space` plus one when `alpha`.
            CMYK is in the sense 0 = no ink.
        space: colour space of the colour bands, which come first.
        alpha: whether the last band is opacity (never altered by any operator).
        orientation: EXIF orientation 1..8 that a viewer applies to show `pixels` upright.
        icc: embedded ICC profile, or None.
    """

    pixels: Pixels
    space: Space
    alpha: bool = False
    orientation: int = 1
    icc: bytes | None = None

    def __post_init__(self) -> None:
        bands = COLOUR_BANDS[self.space] + int(self.alpha)
        if self.pixels.ndim != 3 or self.pixels.shape[2] != bands:
            raise ValueError(f"pixels of shape {self.pixels.shape}: expected (H, W, {bands}) for {self.space}")
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"pixels of type {self.pixels.dtype}: expected uint8 or uint16")
        if not 1 <= self.orientation <= 8:
            raise ValueError(f"orientation {self.orientation}: expected an EXIF value from 1 to 8")

    @property
    def height(self) -> int:
        """Rows as stored."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns as stored."""
        return int(self.pixels.shape[1])

    @property
    def full_scale(self) -> int:
        """Largest sample value: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)
