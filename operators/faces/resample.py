"""Antialiased resampling of an image under a similarity map.

An upright Lanczos resize brings the image to a grid at least three times as dense as the coarser of source and target
(its kernel widens with a reduction, so nothing aliases); there a bilinear warp turns, mirrors and shifts it at little
loss; where the target is the coarser one, the dense result is reduced to it by Lanczos. A direct cubic warp is not
used: it has no antialiasing, and OpenCV computes it with coordinates rounded to 1/32 pixel, while its bilinear warp
is exact. Measured on a zone plate reduced by 2 and turned by 17 degrees: what lies beyond the
target's band comes through with an rms of 0.03 of full scale (0.30 with the cubic warp), at density 3; 2 loses 4 dB
within the band, 4 gains 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.faces.face import Affine
from operators.faces.geometry import bounds, compose, invert, magnification, scaling, transform, translation
from operators.faces.lanczos import SUPPORT, Plane, enlarge, reduce

Pixels = NDArray[np.float32]
Window = tuple[int, int, int, int]

_DENSITY = 3
"""Samples of the dense grid per pixel of the coarser grid, along an axis, at the least."""
_PAD = SUPPORT + 1
"""Target pixels sampled around a window for the kernel that reduces them, and one more."""
_MARGIN = SUPPORT + 2
"""Image pixels read around what a window shows: the kernel that enlarges them, and the bilinear warp."""
_TILE = 384
"""Largest side, in target pixels, that is worked on at once: the dense grid of one band stays in the cache."""


def resize(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize an upright image with Pillow's Lanczos filter, antialiased when it shrinks.

    Args:
        image: (h, w, C) float32.
        size: width, height of the result.

    Returns:
        (height, width, C) float32; values may overshoot the input's range beside sharp edges.
    """
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(image[..., band])).resize(size, Image.Resampling.LANCZOS))
        for band in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


def sample(image: Pixels, affine: Affine, window: Window) -> list[Plane]:
    """Sample a window of the target's pixel grid under a similarity map.

    Beyond the image's edge its pixels are continued by reflection. Neighbouring windows join without a seam. Only what
    the window shows of the image is worked on, tile by tile, so memory grows with the window alone.

    Args:
        image: (h, w, C) float32.
        affine: (2, 3) similarity, image pixels to target pixels; may mirror.
        window: left, top, right, bottom of a half-open window in target pixels; may lie anywhere.

    Returns:
        C planes, (bottom - top, right - left) float32 each.
    """
    scale = magnification(affine)
    if scale * _DENSITY < 1.0:
        image, affine = _shrunk(image, affine, scale * _DENSITY)
    left, top, right, bottom = window
    planes = [np.empty((bottom - top, right - left), np.float32) for _ in range(image.shape[2])]
    for y0, y1 in _tiles(top, bottom):
        for x0, x1 in _tiles(left, right):
            tile = _sampled(image, affine, (x0, y0, x1, y1))
            for plane, part in zip(planes, tile, strict=True):
                plane[y0 - top : y1 - top, x0 - left : x1 - left] = part
    return planes


def _tiles(start: int, end: int) -> list[tuple[int, int]]:
    """Cut a side of a window into equal parts."""
    count = max(-(-(end - start) // _TILE), 1)
    edges = [start + (end - start) * index // count for index in range(count + 1)]
    return list(pairwise(edges))


def _sampled(image: Pixels, affine: Affine, window: Window) -> list[Plane]:
    """Do the work of `sample` for one tile; the map reduces by no more than `_DENSITY`."""
    scale = magnification(affine)
    pad, density = (0, 1) if scale >= 1.0 else (_PAD, _DENSITY)
    left, top, right, bottom = window
    padded = (left - pad, top - pad, right + pad, bottom + pad)
    part = _shown(padded, affine, image.shape[1], image.shape[0])
    # Whole factors, for the speed of their filters; where the target is coarser, fewer samples are dense enough.
    factor = min(max(math.ceil(scale * _DENSITY - 1e-6), 1), _DENSITY)
    dense_map = compose(
        scaling(1.0 / factor),
        translation(part[0], part[1]),
        affine,
        translation(-padded[0], -padded[1]),
        scaling(density),
    )
    dense_size = ((padded[2] - padded[0]) * density, (padded[3] - padded[1]) * density)
    inner = np.s_[pad : pad + bottom - top, pad : pad + right - left]
    planes = []
    for band in cv2.split(image[part[1] : part[3], part[0] : part[2]]):
        dense = cv2.warpAffine(
            enlarge(np.asarray(band, np.float32), factor),
            dense_map,
            dense_size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        planes.append(reduce(np.asarray(dense, np.float32), density)[inner])
    return planes


def warp(image: Pixels, affine: Affine, size: tuple[int, int]) -> Pixels:
    """Resample a whole image under a similarity map.

    Args:
        image: (h, w, C) float32.
        affine: (2, 3) similarity, image pixels to target pixels; may mirror.
        size: width, height of the target.

    Returns:
        (height, width, C) float32.
    """
    return joined(sample(image, affine, (0, 0, size[0], size[1])))


def joined(planes: Sequence[Plane]) -> Pixels:
    """Interleave planes of (h, w) float32 to (h, w, C)."""
    merged = np.asarray(cv2.merge(planes), np.float32)
    return merged.reshape(*planes[0].shape, len(planes))


def _shrunk(image: Pixels, affine: Affine, factor: float) -> tuple[Pixels, Affine]:
    """Reduce an image by about a factor below 1, and its map with it."""
    height, width = image.shape[:2]
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    back = invert(scaling(size[0] / width, size[1] / height))
    return resize(image, size), compose(back, affine)


def _shown(window: Window, affine: Affine, width: int, height: int) -> Window:
    """Return the part of an image that a target's window shows, with margin, and what is reflected into the window."""
    left, top, right, bottom = window
    edges = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    x0, y0, x1, y1 = bounds(transform(edges, invert(affine)))
    (left, right), (top, bottom) = _span(x0, x1, width), _span(y0, y1, height)
    return left, top, right, bottom


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    start, end = math.floor(low) - _MARGIN, math.ceil(high) + 1 + _MARGIN
    # What lies beyond an end of the side is read as far inside it.
    start, end = min(start, 2 * length - end), max(end, -start)
    return max(start, 0), min(end, length)
