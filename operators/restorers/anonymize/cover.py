"""Puts anonymised heads into a raster so that nothing of what was there is left inside the oval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Affine
from operators.faces.geometry import compose, invert, pixel_window, scaling
from operators.faces.resample import Window, sample
from operators.faces.windows import intersection, overlapping, strips, union
from operators.images.colour import apply_change, from_working, to_working
from operators.images.raster import COLOUR_BANDS, Pixels, Raster
from operators.restorers.anonymize.region import FEATHER, Head, weight

_STRIP_PIXELS = 1 << 20
"""Source pixels that are in floating point at once."""


@dataclass(frozen=True)
class Cover:
    """One anonymised head.

    Attributes:
        shown: (S, S, 3) float32 in [0, 1], RGB: what is to be seen in the crop's square.
        affine: (2, 3), source pixels as stored to pixels of a crop of `size`.
        size: side of that crop; `shown` may have another.
        head: the oval, in source pixels as stored.
    """

    shown: NDArray[np.float32]
    affine: Affine
    size: int
    head: Head

    def window(self, width: int, height: int) -> Window:
        """Source pixels, left, top, right, bottom (half-open), that are written at most; all 0 when there are none."""
        left, top, right, bottom = pixel_window(self.head.outline(1.0 + FEATHER), width, height)
        return (left, top, right, bottom) if right > left and bottom > top else (0, 0, 0, 0)


def cover(raster: Raster, covers: Sequence[Cover]) -> tuple[Window, ...]:
    """Cover heads, in place.

    Inside each oval every pixel is written from the anonymised crop alone: what stood there has no part in it, other
    than in `operators.faces.paste`, which adds a difference. Along the feather, which lies outside the oval, picture
    and crop are mixed. Where ovals overlap, a pixel inside one of them is made of anonymised crops only. A band beside
    the colours (opacity, or the infrared of a scanner, which shows a face as well) gets its mean in each oval.

    Args:
        raster: its `pixels` are written.
        covers: all heads of the picture; their crops were cut before any covering.

    Returns:
        For each of them, the window of pixels outside which it wrote nothing.

    Raises:
        OperatorError: `bad_restoration`; a crop is not finite or has the wrong shape. Nothing was written.
    """
    for one in covers:
        _check(one.shown)
    windows = tuple(one.window(raster.width, raster.height) for one in covers)
    seen = [index for index, window in enumerate(windows) if window[0] < window[2]]
    order = sorted(seen, key=lambda index: (windows[index], *covers[index].affine.ravel()))
    for group in overlapping(order, list(windows)):
        for strip in strips(union([windows[index] for index in group]), _STRIP_PIXELS):
            _write(raster, strip, [(covers[index], windows[index]) for index in group])
    if raster.alpha:
        for index in order:
            _level(raster.pixels[..., -1], covers[index].head, windows[index])
    return windows


def _level(band: NDArray[Any], head: Head, window: Window) -> None:
    """Give a band (H, W) its mean inside an oval; one that is the same everywhere there keeps its values."""
    total = count = 0
    for values, inside in _inside(band, head, window):
        total += int(values[inside].sum(dtype=np.int64))
        count += int(np.count_nonzero(inside))
    for values, inside in _inside(band, head, window):
        values[inside] = round(total / max(count, 1))


def _inside(band: NDArray[Any], head: Head, window: Window) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """Parts of a band, as views, and which pixels of each lie in an oval."""
    for left, top, right, bottom in strips(window, _STRIP_PIXELS):
        distance = head.distance(np.arange(left, right, dtype=float), np.arange(top, bottom, dtype=float))
        yield band[top:bottom, left:right], distance <= 1.0


def _check(shown: NDArray[np.float32]) -> None:
    if shown.ndim != 3 or shown.shape[0] != shown.shape[1] or shown.shape[2] != 3 or not np.isfinite(shown).all():
        raise OperatorError(
            "bad_restoration", f"anonymised face of shape {shown.shape}: expected (S, S, 3) finite values in [0, 1]"
        )


def _write(raster: Raster, strip: Window, covers: Sequence[tuple[Cover, Window]]) -> None:
    left, top, right, bottom = strip
    native = raster.pixels[top:bottom, left:right]
    shape = native.shape[:2]
    colour, total, most = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for one, window in covers:
        part = intersection(window, strip)
        if part is None:
            continue
        inside = np.s_[part[1] - top : part[3] - top, part[0] - left : part[2] - left]
        distance = one.head.distance(np.arange(part[0], part[2], dtype=float), np.arange(part[1], part[3], dtype=float))
        share = weight(distance)
        # Where heads overlap each keeps its own middle; the mix is one of anonymised crops only.
        say = share * np.asarray(1.0 / (distance**4 + 1e-3), np.float32)
        to_source = compose(scaling(one.size / one.shown.shape[0]), invert(one.affine))
        shown = np.stack(sample(one.shown, to_source, part), axis=-1)
        colour[inside] += say[..., None] * np.clip(shown, 0.0, 1.0)
        total[inside] += say
        np.maximum(most[inside], share, out=most[inside])
    touched = total > 0.0
    colour[touched] /= total[touched][:, None]
    _mixed(raster, native, colour, most)


def _mixed(
    raster: Raster,
    native: Pixels,
    colour: NDArray[np.float32],
    most: NDArray[np.float32],
) -> None:
    """Write colours (h, w, 3) with their weights (h, w): afresh where that is 1, as a change where it is less."""
    full, edge = most >= 1.0, (most > 0.0) & (most < 1.0)
    bands = COLOUR_BANDS[raster.space]
    if edge.any():
        region = _as_pixels(native[edge][None])
        before = to_working(raster, region)
        after = before + most[edge][None, :, None] * (colour[edge][None] - before)
        native[edge] = apply_change(raster, region, before, after)[0]
    if full.any():
        values = from_working(raster, np.clip(colour[full], 0.0, 1.0)[None])
        native[full, :bands] = np.clip(np.rint(values), 0, raster.full_scale)[0].astype(native.dtype)


def _as_pixels(values: NDArray[Any]) -> Pixels:
    """Values of one depth, contiguous; numpy's types lose the depth when a mask selects."""
    pixels: Pixels = np.ascontiguousarray(values)
    return pixels
