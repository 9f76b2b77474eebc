"""A picture at another size without any network, window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Window = tuple[int, int, int, int]
"""Left, top, right, bottom of pixels, half-open."""

_SUPPORT = 3
"""Radius of the Lanczos kernel in pixels of the coarser grid."""


def resampled(pixels: NDArray[Any], size: tuple[int, int], window: Window) -> NDArray[np.float32]:
    """Give a window of a picture at another size, by Lanczos, antialiased where it shrinks.

    The outer edges of both pictures are the same, so pixel x of the source lies at (x + 0.5) * scale - 0.5. Only what
    the window shows is read, so the source may lie on disk. Neighbouring windows join without a seam.

    Args:
        pixels: (H, W, C) numbers of any type.
        size: width and height of the whole result.
        window: of the result.

    Returns:
        (bottom - top, right - left, C) float32 in the source's units; beside sharp edges values overshoot its range.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = window
    if size == (width, height):
        return np.asarray(pixels[top:bottom, left:right], np.float32)
    x = _span(left, right, width, size[0])
    y = _span(top, bottom, height, size[1])
    part = np.asarray(pixels[y.start : y.end, x.start : x.end], np.float32)
    box = (x.low - x.start, y.low - y.start, x.high - x.start, y.high - y.start)
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(part[..., band])).resize(
                (right - left, bottom - top), Image.Resampling.LANCZOS, box=box
            )
        )
        for band in range(part.shape[2])
    ]
    return np.stack(planes, axis=-1)


@dataclass(frozen=True)
class _Span:
    """What a span of the result shows of the source.

    Attributes:
        low: its exact edge, the first pixel's outer edge being 0.
        high: likewise.
        start: first whole pixel that the kernel reaches.
        end: the one behind the last.
    """

    low: float
    high: float
    start: int
    end: int


def _span(start: int, end: int, old: int, new: int) -> _Span:
    low, high = start * old / new, min(end * old / new, float(old))
    reach = math.ceil(_SUPPORT * max(1.0, old / new)) + 1
    return _Span(low, high, max(math.floor(low) - reach, 0), min(math.ceil(high) + reach, old))
