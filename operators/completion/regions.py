"""Regions of pixels that are missing: found by colour, cleared of specks, grown, and carried between picture and crop.

Two grids are in play. On the source's, a region says which pixels may be written: no other may change by one bit. On
the crop's, it says what the network must not see, and is wider: a crop pixel is a mixture of the source pixels around
it, so whatever touches the region is spoilt.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Affine
from operators.faces.geometry import compose, invert, magnification, translation
from operators.faces.resample import Window

Region = NDArray[np.bool_]
"""(H, W) bool, True where a pixel is missing."""

SMEARED = 3.0
"""How far resampling smears what is missing, in pixels of the coarser of both grids: the reach of its kernel. With 2
pixels a key colour tints what is left beside it by up to 9 of 255 levels, with 3 by less than 1."""


def colour_region(pixels: NDArray[np.float32], colour: tuple[float, float, float], tolerance: float) -> Region:
    """Pixels of a key colour.

    Args:
        pixels: (H, W, 3) float32 in [0, 1], RGB.
        colour: likewise.
        tolerance: most that any channel may differ, 0 to 1.
    """
    # Half a step of 16 bits more, since a value of a file and the same number in a job are rounded differently.
    reach = np.float32(tolerance + 0.5 / 65535)
    return np.asarray((np.abs(pixels - np.asarray(colour, np.float32)) <= reach).all(axis=2), np.bool_)


def without_specks(region: Region, least: float) -> Region:
    """The region without connected parts (eight neighbours) of fewer pixels than `least`."""
    if least <= 1.0 or not region.any():
        return region
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    return np.asarray(kept[labels], np.bool_)


def grown(region: Region, radius: float) -> Region:
    """The region and all pixels within a distance of it, from centre to centre.

    Args:
        region: (H, W) bool.
        radius: pixels; 0 leaves the region as it is.
    """
    if radius < 1.0 or not region.any():
        return region
    away = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.asarray(away) <= radius, np.bool_)


def hidden_from(region: Region, window: Window, affine: Affine, size: int) -> Region:
    """What of a crop the network must not see, from a region of the source.

    Args:
        region: (h, w) bool on the source's grid, in the window.
        window: left, top, right, bottom (half-open) in source pixels.
        affine: (2, 3) source to crop pixels.
        size: side of the crop.

    Returns:
        (size, size) bool: every crop pixel that sees anything of the region, and those that resampling smears it to.
    """
    if not region.any():
        return np.zeros((size, size), np.bool_)
    # Half a crop pixel's diagonal, so that the nearest source pixel to a crop pixel's centre stands for all it covers.
    wide = grown(region, max(1.0, 0.75 / magnification(affine)))
    seen = cv2.warpAffine(
        wide.astype(np.uint8),
        compose(translation(window[0], window[1]), affine),
        (size, size),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return grown(np.asarray(seen, np.uint8) > 0, smeared(affine))


def smeared(affine: Affine) -> float:
    """How far resampling between source and crop smears a pixel, in crop pixels.

    Args:
        affine: (2, 3) source to crop pixels.
    """
    return SMEARED * max(1.0, magnification(affine))


def shown_in(region: Region, affine: Affine, window: Window) -> Region:
    """A region of a crop on the source's grid: the pixels whose centres lie in a crop pixel of the region.

    Args:
        region: (S, S) bool on the crop's grid.
        affine: (2, 3) source to crop pixels.
        window: left, top, right, bottom (half-open) in source pixels.

    Returns:
        (h, w) bool.
    """
    left, top, right, bottom = window
    seen = cv2.warpAffine(
        region.astype(np.uint8),
        compose(invert(affine), translation(-left, -top)),
        (right - left, bottom - top),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(np.asarray(seen, np.uint8) > 0, np.bool_)
