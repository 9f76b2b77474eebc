"""Faces between two grids: the source's, in which records speak, and that of a picture made from it at another size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jobs.restore.work import FaceWork
from operators.faces.align import cut
from operators.faces.face import Affine, Crop, Detection
from operators.faces.geometry import bounds, compose, invert, magnification, pixel_window, transform
from operators.faces.within import Within
from operators.images.raster import Raster


def in_source(found: Detection, to_picture: Affine) -> Detection:
    """A face that was found in a picture, in pixels of the source.

    Args:
        found: in the picture.
        to_picture: source pixels to the picture's.
    """
    back = invert(to_picture)
    left, top, right, bottom = found.box
    box = bounds(transform(np.array([[left, top], [right, bottom]]), back))
    return replace(found, box=box, landmarks=transform(found.landmarks, back))


def cut_from(raster: Raster, affine: Affine, size: int, to_picture: Affine | None) -> Crop:
    """Cut a crop out of the source, or out of a picture made from it.

    Args:
        raster: either.
        affine: source pixels to crop pixels.
        size: side of the crop.
        to_picture: source pixels to the picture's; None for the source.

    Returns:
        The crop; its affine and reduction are those from the source.
    """
    if to_picture is None:
        return cut(raster, affine, size)
    crop = cut(raster, compose(invert(to_picture), affine), size)
    return replace(crop, affine=affine, reduction=1.0 / magnification(affine))


def on_picture(face: FaceWork, raster: Raster, to_picture: Affine) -> FaceWork:
    """A face as it lies in a picture made from the source: what is pasted there is what the restorer made.

    Args:
        face: with a crop, in pixels of the source.
        raster: the picture, nothing pasted yet.
        to_picture: source pixels to the picture's.

    Returns:
        The face with the same square cut out of the picture, so that pasting knows what it takes the place of.
    """
    assert face.crop is not None
    crop = cut(raster, compose(invert(to_picture), face.crop.affine), face.crop.size)
    within = None if face.within is None else _within(face.within, raster, to_picture)
    return replace(face, crop=crop, within=within)


def _within(within: Within, raster: Raster, to_picture: Affine) -> Within | None:
    """The pixels of a picture whose centres lie on pixels of a region of the source."""
    left, top, right, bottom = within.window
    edges = np.array([[left, top], [right, bottom]]) - 0.5
    window = pixel_window(transform(edges, to_picture), raster.width, raster.height)
    if window[0] >= window[2] or window[1] >= window[3]:
        return None
    back = invert(to_picture)
    columns, across = _places(window[0], window[2], back[0, 0], back[0, 2], left, right)
    rows, down = _places(window[1], window[3], back[1, 1], back[1, 2], top, bottom)
    return Within.of(within.region()[np.ix_(rows, columns)] & np.logical_and.outer(down, across), window)


def _places(
    start: int, end: int, scale: float, offset: float, first: int, last: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Which pixel of a region, along one axis, each pixel of a window lies on, and whether it lies on one."""
    # A centre on the edge between two pixels lies on the second one, whatever the rounding.
    source = np.floor(np.arange(start, end) * scale + offset + 0.5 + 1e-9).astype(np.intp)
    return np.clip(source, first, last - 1) - first, (source >= first) & (source < last)
