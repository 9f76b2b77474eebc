"""From landmarks to an aligned square crop."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Affine, Crop, Points
from operators.faces.geometry import (
    compose,
    identity,
    invert,
    magnification,
    pixel_window,
    scaling,
    similarity,
    square_corners,
    transform,
    translation,
)
from operators.faces.resample import Window, warp
from operators.faces.templates import template_points
from operators.images.colour import to_working
from operators.images.raster import Raster

_STRIP_PIXELS = 1 << 20
"""Source pixels that are in floating point at once while a very large face is read."""
_OVERSAMPLING = 3
"""Source pixels per crop pixel that remain, at the least, after a very large face was averaged in whole factors."""


def align(landmarks: Points, template: str, size: int, upright: Affine | None = None) -> Affine:
    """Find the map that brings a face onto a template.

    Args:
        landmarks: (5, 2) in source pixels as stored.
        template: name in `operators.faces.templates`.
        size: side of the crop in pixels.
        upright: (2, 3) map from stored to upright pixels (EXIF orientation); None when stored upright.

    Returns:
        (2, 3) source pixels as stored to crop pixels: the EXIF map, then the least-squares similarity (`similarity`).
        It mirrors exactly where the EXIF orientation does.

    Raises:
        OperatorError: code `bad_landmarks`.
        ValueError: unknown template or a size below 1.
    """
    upright = identity() if upright is None else upright
    return compose(upright, similarity(transform(landmarks, upright), template_points(template, size)))


def choose_size(sizes: Sequence[int], landmarks: Points, template: str, upright: Affine | None = None) -> int:
    """Choose the smallest crop size that does not shrink the face, or the largest when all of them do.

    Args:
        sizes: crop sizes a restorer takes, in any order, not empty.
        landmarks: (5, 2) in source pixels as stored.
        template: name in `operators.faces.templates`.
        upright: as in `align`.
    """
    if not sizes:
        raise ValueError("no crop sizes given: expected at least one")
    fitting = [size for size in sizes if magnification(align(landmarks, template, size, upright)) >= 1.0]
    return min(fitting) if fitting else max(sizes)


def coverage(affine: Affine, size: int, width: int, height: int) -> float:
    """Return the part of a crop's square that lies inside the image, 0 to 1 (exact polygon intersection).

    Args:
        affine: (2, 3) source to crop pixels.
        size: side of the crop.
        width: of the source.
        height: of the source.
    """
    square = transform(square_corners(size), invert(affine)) + 0.5
    image = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    shared, _ = cv2.intersectConvexConvex(cv2.convexHull(square.astype(np.float32)), image)
    return float(min(max(shared * magnification(affine) ** 2 / size**2, 0.0), 1.0))


def cut(raster: Raster, affine: Affine, size: int, rough: bool = False) -> Crop:
    """Cut an aligned crop out of a raster, antialiased when it shrinks the face.

    Only the pixels around the face are read, so the cost does not depend on the raster's size. Where the square reaches
    beyond the image, its content is continued by reflection; `coverage` says how much of it is.

    Args:
        raster: the source image.
        affine: (2, 3) source pixels to crop pixels, from `align`.
        size: side of the crop in pixels.
        rough: shrink the face by averaging over areas: good enough to look at, in a fifth of the time.

    Returns:
        the crop, (size, size, 3) float32 in [0, 1].

    Raises:
        OperatorError: code `outside_image`; the square does not touch the image.
    """
    reduction = 1.0 / magnification(affine)
    corners = transform(square_corners(size), invert(affine))
    left, top, right, bottom = pixel_window(corners, raster.width, raster.height)
    if right <= left or bottom <= top:
        raise OperatorError(
            "outside_image",
            f"the face's square {np.round(corners).astype(int).tolist()} lies outside the image of {raster.width} x "
            f"{raster.height} pixels: expected landmarks in pixels of the image as stored",
        )
    margin = 4.0 * max(reduction, 1.0) + 3.0  # the resampling kernels reach three crop pixels, and the padding one more
    window = pixel_window(corners, raster.width, raster.height, margin)
    factor = max(int(reduction / _OVERSAMPLING), 1)
    pixels = _read(raster, window, factor)
    to_region = compose(translation(-window[0], -window[1]), scaling(1.0 / factor))
    if rough and reduction > factor:
        pixels, to_region = _averaged(pixels, to_region, factor / reduction)
    region_to_crop = compose(invert(to_region), affine)
    crop = np.clip(warp(pixels, region_to_crop, (size, size)), 0.0, 1.0)
    return Crop(pixels=crop, affine=affine, size=size, reduction=reduction)


def _averaged(pixels: NDArray[np.float32], to_pixels: Affine, scale: float) -> tuple[NDArray[np.float32], Affine]:
    """Reduce pixels by averaging over areas, and the map to them with it."""
    height, width = pixels.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    reduced = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    return reduced, compose(to_pixels, scaling(size[0] / width, size[1] / height))


def _read(raster: Raster, window: Window, factor: int) -> NDArray[np.float32]:
    """Read a window in working colour, averaged over blocks of factor x factor pixels.

    Strips keep memory bounded when the face fills a huge scan. Blocks at the window's end are completed by repeating
    the last pixels.
    """
    left, top, right, bottom = window
    native = raster.pixels[top:bottom, left:right]
    if factor == 1:
        return to_working(raster, native)
    rows = max(_STRIP_PIXELS // (right - left) // factor, 1) * factor
    strips = []
    for start in range(0, bottom - top, rows):
        strip = to_working(raster, native[start : start + rows])
        height, width = strip.shape[:2]
        strip = cv2.copyMakeBorder(strip, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
        size = (strip.shape[1] // factor, strip.shape[0] // factor)
        strips.append(cv2.resize(strip, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(strips, axis=0)
