"""Pictures as the detector takes them, checked."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError

LEAST_SIDE = 16
"""Pixels a side below which there is nothing to see."""

_SCALES = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}


class Pixels(Protocol):
    """An array or what can be sliced like one, such as a memory map."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""
        ...

    @property
    def dtype(self) -> Any:
        """uint8, uint16 or a float type."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """A part, as an array."""
        ...


def check_pixels(source: Pixels) -> None:
    """Refuse what is no picture.

    Raises:
        ValueError: it is not (H, W, 3), or of a type that no picture has.
        OperatorError: `too_small`: a side has fewer than 16 pixels.
    """
    kind, shape = np.dtype(source.dtype).newbyteorder("="), tuple(source.shape)
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"found an image of shape {shape}, expected (H, W, 3)")
    if kind not in _SCALES and not np.issubdtype(kind, np.floating):
        raise ValueError(f"found an image of {kind}, expected uint8, uint16, or floats in [0, 1]")
    if min(shape[:2]) < LEAST_SIDE:
        message = f"found {shape[1]} x {shape[0]} pixels, expected at least {LEAST_SIDE} on each side"
        raise OperatorError("too_small", f"{message}; leave images this small out")


def as_floats(part: NDArray[Any]) -> NDArray[np.float32]:
    """A part of a picture as float32 in [0, 1].

    Args:
        part: (h, w, 3) of uint8 or uint16, or floats in [0, 1]; floats that overshoot by up to a tenth are clipped.

    Raises:
        OperatorError: `not_finite`: a float is NaN or infinite.
        ValueError: floats lie further out: their scale is another one.
    """
    array = np.asarray(part)
    scale = _SCALES.get(array.dtype.newbyteorder("="))
    if scale is not None:
        return np.asarray(array / np.float32(scale), dtype=np.float32)
    if not np.isfinite(array).all():
        raise OperatorError("not_finite", "the image holds NaN or infinity: expected values from 0 to 1")
    if array.size and (float(array.min()) < -0.1 or float(array.max()) > 1.1):
        raise ValueError(
            f"found floats from {array.min():.6g} to {array.max():.6g}, expected [0, 1]: divide by the largest value"
        )
    return np.clip(np.asarray(array, dtype=np.float32), np.float32(0.0), np.float32(1.0))
