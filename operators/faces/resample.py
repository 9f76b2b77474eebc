"""Antialiased resampling of an image under a similarity map.

An upright Lanczos resize brings the image to a grid three times as dense as the coarser of source and target (its
kernel widens with a reduction, so nothing aliases); there a bilinear warp turns, mirrors and shifts it at little
loss; where the target is the coarser one, the dense result is reduced to it by Lanczos. A direct cubic warp is not
used: it has no antialiasing, and OpenCV computes it with coordinates rounded to 1/32 pixel, while its bilinear warp
and Pillow's resize are exact. Measured on a zone plate reduced by 2 and turned by 17 degrees: what lies beyond the
target's band comes through with an rms of 0.03 of full scale (0.30 with the cubic warp), at density 3; 2 loses 4 dB
within the band, 4 gains 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.faces.face import Affine
from operators.faces.geometry import compose, invert, magnification, scaling, translation

Plane = NDArray[np.float32]
Window = tuple[int, int, int, int]

_DENSITY = 3
"""Samples of the dense grid per pixel of the coarser grid, along an axis."""
_LANCZOS_SUPPORT = 3


def resize(image: Plane, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> Plane:
    """Resize an upright image with Pillow's Lanczos filter, antialiased when it shrinks.

    Args:
        image: (h, w, C) float32.
        size: width, height of the result.
        box: left, top, right, bottom in pixel edges of `image`, the part that becomes the result; all when None.

    Returns:
        (height, width, C) float32; values may overshoot the input's range beside sharp edges.
    """
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(image[..., band])).resize(size, Image.Resampling.LANCZOS, box))
        for band in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


@dataclass(frozen=True)
class Prepared:
    """An image resized to the density of a target, ready for windows of that target to be sampled.

    Attributes:
        pixels: (h, w, C) float32.
        affine: (2, 3) map from `pixels` to the target's pixels.
        density: samples to take per target pixel along an axis: 1 where the map enlarges, else `_DENSITY`.
    """

    pixels: Plane
    affine: Affine
    density: int


def prepare(image: Plane, affine: Affine) -> Prepared:
    """Bring an image to the density at which a similarity map can be sampled without aliasing.

    Args:
        image: (h, w, C) float32.
        affine: (2, 3) similarity, image pixels to target pixels; may mirror.

    Returns:
        what `sample` takes.
    """
    scale = magnification(affine)
    enlarges = scale >= 1.0
    factor = float(_DENSITY) if enlarges else scale * _DENSITY
    height, width = image.shape[:2]
    new = max(round(width * factor), 1), max(round(height * factor), 1)
    pixels = resize(image, new) if new != (width, height) else image
    back = invert(scaling(new[0] / width, new[1] / height))
    return Prepared(pixels, compose(back, affine), 1 if enlarges else _DENSITY)


def sample(prepared: Prepared, window: Window) -> Plane:
    """Sample a window of the target's pixel grid.

    Beyond the image's edge its pixels are continued by reflection. Neighbouring windows join without a seam.

    Args:
        prepared: from `prepare`.
        window: left, top, right, bottom of a half-open window in target pixels; may lie anywhere.

    Returns:
        (bottom - top, right - left, C) float32.
    """
    left, top, right, bottom = window
    density, pad = prepared.density, 0 if prepared.density == 1 else _LANCZOS_SUPPORT + 1
    width, height = right - left, bottom - top
    dense_map = compose(prepared.affine, translation(pad - left, pad - top), scaling(density))
    dense: Plane = cv2.warpAffine(
        prepared.pixels,
        dense_map,
        ((width + 2 * pad) * density, (height + 2 * pad) * density),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    dense = dense.reshape(*dense.shape[:2], prepared.pixels.shape[2])
    if density == 1:
        return dense
    edges = (pad * density, pad * density, (pad + width) * density, (pad + height) * density)
    return resize(dense, (width, height), edges)


def warp(image: Plane, affine: Affine, size: tuple[int, int]) -> Plane:
    """Resample a whole image under a similarity map.

    Args:
        image: (h, w, C) float32.
        affine: (2, 3) similarity, image pixels to target pixels; may mirror.
        size: width, height of the target.

    Returns:
        (height, width, C) float32.
    """
    return sample(prepare(image, affine), (0, 0, size[0], size[1]))
