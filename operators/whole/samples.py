"""Samples of any depth as float32 in [0, 1], and back."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Window = NDArray[np.float32]
"""(N, T, T', 3) float32 in [0, 1], RGB."""


class Readable(Protocol):
    """A picture that gives windows of itself: an array, a memory map, or anything that can be sliced."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, uint16 or a float type, in [0, 1] if float."""
        ...

    def __getitem__(self, key: tuple[slice, slice], /) -> NDArray[Any]:
        """A window."""
        ...


class Writable(Protocol):
    """A picture that takes windows of itself."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, uint16 or a float type."""
        ...

    def __setitem__(self, key: tuple[slice, slice], value: NDArray[Any], /) -> None:
        """Put a window."""
        ...


def full_scale(dtype: np.dtype[Any], what: str) -> int:
    """What stands for 1: 255, 65535, or 1 for floats.

    Args:
        dtype: of the samples.
        what: whose, for the message.

    Raises:
        ValueError: the type is none of these.
    """
    if dtype.kind == "f":
        return 1
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return int(np.iinfo(dtype).max)
    raise ValueError(f"{what} holds {dtype}: expected uint8, uint16, or float in [0, 1]")


def unit(samples: NDArray[Any], full: int) -> Window:
    """Samples as float32 in [0, 1], in a new array; 16 bits survive the way there and back exactly.

    Args:
        samples: any shape.
        full: what stands for 1.
    """
    made = samples.astype(np.float32)
    if full != 1:
        made /= np.float32(full)
    return made


def stored(window: Window, dtype: np.dtype[Any], full: int) -> NDArray[Any]:
    """Values clipped to [0, 1], as samples rounded to the nearest; `window` is used up.

    Args:
        window: float32, any shape.
        dtype: of the samples.
        full: what stands for 1.
    """
    np.clip(window, 0.0, 1.0, out=window)
    if full == 1:
        return window.astype(dtype)
    window *= np.float32(full)
    return np.rint(window, out=window).astype(dtype)
