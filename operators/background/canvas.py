"""What a network sees of a picture, and where it puts what it made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.background.resampled import Window, resampled
from operators.background.scratch import LettingGo
from operators.background.tone import PictureTone
from operators.errors import OperatorError
from operators.images.colour import apply_change, from_working, to_working
from operators.images.raster import Pixels, Raster

Index = tuple[Any, ...] | slice
DEEP = 65535


class Shown:
    """A picture as networks see it: (H, W, 3) float32 in [0, 1], RGB, converted where it is looked at."""

    def __init__(self, raster: Raster) -> None:
        self._raster = raster
        self.shape = (raster.height, raster.width, 3)
        self.dtype = np.dtype(np.float32)
        self.ndim = 3

    def __getitem__(self, index: Index) -> NDArray[np.float32]:
        left, top, right, bottom = window_of(index, self.shape)
        return to_working(self._raster, self._raster.pixels[top:bottom, left:right])


class Canvas:
    """A picture that is being made: takes windows of (h, w, 3) float32 in [0, 1] and keeps native values.

    A window's values depend on the source and on what is written there, and on nothing that was written before.

    Args:
        raster: the source.
        pixels: (H', W', C) of the source's type and bands, to be filled.
        strength: share of what is written, 0 to 1; the rest is the source, plainly resampled.
        tone: what the result's chroma is taken from; None leaves it as it is written.
    """

    def __init__(self, raster: Raster, pixels: Pixels, strength: float = 1.0, tone: PictureTone | None = None) -> None:
        self._raster = raster
        self._pixels = pixels
        self._strength = np.float32(strength)
        self._tone = tone
        self._size = (pixels.shape[1], pixels.shape[0])
        self._memory = LettingGo(pixels)
        self.shape = (*pixels.shape[:2], 3)
        self.dtype = np.dtype(np.float32)
        self.ndim = 3

    def __setitem__(self, index: Index, made: NDArray[np.float32]) -> None:
        self.write(window_of(index, self.shape), made)

    def write(self, window: Window, made: NDArray[np.float32]) -> None:
        """Put in a window.

        Args:
            window: where.
            made: (h, w, 3) float32, RGB; what lies beyond [0, 1] is clipped.

        Raises:
            OperatorError: `not_finite`.
        """
        left, top, right, bottom = window
        native = self._plain(window)
        before = to_working(self._raster, native)
        after = np.clip(checked(made), 0.0, 1.0)
        if self._tone is not None:
            after = self._tone.put_on(after, window, self._size)
        if self._strength < 1.0:
            after = before + self._strength * (after - before)
        self._pixels[top:bottom, left:right] = self._native(native, before, np.asarray(after, np.float32))
        self._memory.touched(native.nbytes)

    def _native(self, native: Pixels, before: NDArray[np.float32], after: NDArray[np.float32]) -> Pixels:
        """The picture's own values. Inks are separated anew: the smallest change of them would take minutes."""
        if self._raster.space != "cmyk":
            return apply_change(self._raster, native, before, after)
        # What a profile adds to a colour on the way there and back is taken off before it goes.
        first = self._rounded(from_working(self._raster, after))
        opaque = replace(self._raster, pixels=first, alpha=False)
        inks = self._rounded(from_working(self._raster, 2 * after - to_working(opaque, first)))
        changed = (before != after).any(axis=2)
        native[changed, : inks.shape[2]] = inks[changed]
        return native

    def _plain(self, window: Window) -> Pixels:
        return self._rounded(resampled(self._raster.pixels, self._size, window))

    def _rounded(self, values: NDArray[np.float32]) -> Pixels:
        values = np.clip(np.rint(values), 0, self._raster.full_scale)
        return values.astype(np.uint16) if self._raster.full_scale == DEEP else values.astype(np.uint8)


class Deep:
    """Takes windows of (h, w, 3) float32 in [0, 1] into 16 bits, from which a smaller picture is made afterwards."""

    def __init__(self, pixels: NDArray[np.uint16]) -> None:
        self._pixels = pixels
        self._memory = LettingGo(pixels)
        self.shape = pixels.shape
        self.dtype = np.dtype(np.float32)
        self.ndim = 3

    def __setitem__(self, index: Index, made: NDArray[np.float32]) -> None:
        left, top, right, bottom = window_of(index, self.shape)
        values = np.rint(np.clip(checked(made), 0.0, 1.0) * np.float32(DEEP))
        self._pixels[top:bottom, left:right] = values.astype(np.uint16)
        self._memory.touched(values.nbytes // 2)


def checked(made: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a network made, if all of it is a number.

    Raises:
        OperatorError: `not_finite`.
    """
    if not np.isfinite(made).all():
        raise OperatorError("not_finite", "the network made NaN or infinity of the picture: run it in full precision")
    return made


def window_of(index: Index, shape: tuple[int, ...]) -> Window:
    """The window that an index of rows and columns means.

    Raises:
        IndexError: it means something else.
    """
    rows, columns, *rest = (*index, slice(None)) if isinstance(index, tuple) else (index, slice(None))
    plain = all(isinstance(part, slice) and part.step in (None, 1) for part in (rows, columns))
    whole = all(part is Ellipsis or part == slice(None) for part in rest)
    if not plain or not whole:
        raise IndexError(f"{index}: expected a slice of rows and one of columns")
    top, bottom, _ = rows.indices(shape[0])
    left, right, _ = columns.indices(shape[1])
    return left, top, right, bottom
