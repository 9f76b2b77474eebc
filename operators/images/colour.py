"""The working space of restorers, RGB in [0, 1], and the exact way back to an image's own values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.images.icc import cmyk_to_srgb, srgb_to_cmyk
from operators.images.inks import move_inks
from operators.images.libvips import from_array
from operators.images.raster import COLOUR_BANDS, Pixels, Raster

# Luma weights of ITU-R BT.601-7, section 2.5.1.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def to_working(raster: Raster, region: Pixels) -> NDArray[np.float32]:
    """Convert native values to the working space.

    RGB is divided by the full scale, whatever its profile: a restorer changes faces relative to what is there.
    Gray is replicated. CMYK goes through the embedded profile to sRGB, relative colorimetric.

    Args:
        raster: the image the region was cut from; its colour space and profile are used, not its pixels.
        region: (h, w, C) native values with the raster's bands. Opacity is ignored.

    Returns:
        (h, w, 3) float32 in [0, 1], RGB.
    """
    colours = _colours(raster, region)
    if raster.space == "cmyk":
        srgb = cmyk_to_srgb(from_array(colours, "cmyk"), raster.icc, 16).numpy()
        return _divided(srgb, 65535)
    working = _divided(colours, int(np.iinfo(region.dtype).max))
    return np.repeat(working, 3, axis=2) if raster.space == "gray" else working


def to_rgb(raster: Raster) -> Raster:
    """Give a gray image the room for colours: its values stand in all three bands.

    Args:
        raster: gray, or RGB, which is returned as it is.

    Returns:
        RGB of the same depth, opacity and orientation. A gray ICC profile says nothing of RGB and is left out.

    Raises:
        ValueError: for CMYK.
    """
    if raster.space == "rgb":
        return raster
    if raster.space != "gray":
        raise ValueError(f"colour space {raster.space}: expected gray or rgb")
    gray, rest = raster.pixels[:, :, :1], raster.pixels[:, :, 1:]
    pixels = np.ascontiguousarray(np.concatenate([gray, gray, gray, rest], axis=2))
    return Raster(pixels, "rgb", raster.alpha, raster.orientation)


def from_working(raster: Raster, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert working values to the raster's colour bands, not yet rounded.

    Args:
        raster: says the colour space, depth and profile.
        rgb: (h, w, 3) float32, RGB; clipped to [0, 1] for CMYK.

    Returns:
        (h, w, C) float32 in units of native values, C the colour bands without alpha.
    """
    scale = raster.full_scale
    if raster.space == "rgb":
        return _scaled(rgb, scale)
    if raster.space == "gray":
        # Written out, as a matrix product's rounding may depend on the number of threads.
        luma = rgb[:, :, 0] * LUMA[0] + rgb[:, :, 1] * LUMA[1] + rgb[:, :, 2] * LUMA[2]
        return _scaled(luma[:, :, None], scale)
    deep = np.rint(np.clip(rgb, 0, 1) * np.float32(65535)).astype(np.uint16)
    cmyk = srgb_to_cmyk(from_array(deep, "rgb"), raster.icc, 16).numpy()
    return _scaled(cmyk, scale / 65535)


def apply_change(raster: Raster, region: Pixels, before: NDArray[np.float32], after: NDArray[np.float32]) -> Pixels:
    """Apply a change made in the working space to native values.

    new = old + from_working(after) - from_working(before), rounded to nearest and clipped. What the way to the
    working space and back loses cancels, so a pixel whose `after` equals its `before` keeps its native values bit for
    bit. For CMYK the smallest change of ink that shows the change takes the place of the difference, see `inks`.

    Args:
        raster: the image the region was cut from; its pixels are not used.
        region: (h, w, C) native values with the raster's bands.
        before: (h, w, 3) float32, what `to_working` gave for the region.
        after: (h, w, 3) float32, what it should become.

    Returns:
        (h, w, C), a new array of the region's type; opacity is copied.

    Raises:
        ValueError: when the shapes do not match.
    """
    if before.shape != after.shape or before.shape[:2] != region.shape[:2]:
        raise ValueError(f"region {region.shape}, before {before.shape} and after {after.shape} do not match")
    result: Pixels = region.copy()
    changed = np.any(before != after, axis=2)
    if not changed.any():
        return result
    # The touched pixels alone, as one row: conversions cost time and most of a feathered square is untouched.
    bands = COLOUR_BANDS[raster.space]
    old = region[changed][None, :, :bands].astype(np.float32)
    source, target = before[changed][None], after[changed][None]
    new: NDArray[np.float32]
    if raster.space == "cmyk":
        new = move_inks(old, source, target, raster.full_scale, raster.icc)
    else:
        new = old + from_working(raster, target - source)
    result[changed, :bands] = np.clip(np.rint(new), 0, raster.full_scale)[0].astype(region.dtype)
    return result


def _divided(values: NDArray[Any], divisor: int) -> NDArray[np.float32]:
    divided: NDArray[np.float32] = np.asarray(values, np.float32) / np.float32(divisor)
    return divided


def _scaled(values: NDArray[Any], factor: float) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = np.asarray(values, np.float32) * np.float32(factor)
    return scaled


def _colours(raster: Raster, region: Pixels) -> Pixels:
    bands = COLOUR_BANDS[raster.space]
    if region.ndim != 3 or region.shape[2] != bands + int(raster.alpha):
        raise ValueError(f"region of shape {region.shape}: expected (h, w, {bands + int(raster.alpha)})")
    colours: Pixels = region[:, :, :bands]
    return colours
