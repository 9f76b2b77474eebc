"""Puts restored faces back into the raster they were cut from, and touches nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Crop
from operators.faces.geometry import compose, invert, pixel_window, scaling, square_corners, transform, translation
from operators.faces.lanczos import Plane
from operators.faces.resample import Window, joined, sample
from operators.faces.windows import area, intersection, overlapping, strips, union
from operators.faces.within import Within
from operators.images.colour import apply_change, to_working
from operators.images.raster import Raster

Detail = Literal["auto", "keep", "replace"]

_STRIP_PIXELS = 1 << 20
"""Source pixels that are in floating point at once, so that a face filling a huge scan costs no more memory."""


@dataclass(frozen=True)
class Patch:
    """One restored face.

    Attributes:
        crop: as it was cut from the untouched raster.
        restored: (S', S', 3) float32 in [0, 1], RGB: the same square, at any size.
        mask: (S, S) float32 in [0, 1] on the crop's grid, 0 on its outermost pixels.
        within: source pixels that may be written at all, whatever the mask says; None for every pixel of the square.
    """

    crop: Crop
    restored: NDArray[np.float32]
    mask: NDArray[np.float32]
    within: Within | None = None


@dataclass(frozen=True)
class Pasted:
    """What pasting did.

    Attributes:
        windows: per patch, in the order given: left, top, right, bottom (half-open) of the source pixels that its
            square touches. No pixel outside them was written.
        changed_pixels: number of source pixels whose stored value differs now.
    """

    windows: tuple[Window, ...]
    changed_pixels: int


@dataclass(frozen=True)
class _Change:
    """What a patch says of one part of the source's grid: lists of three (h, w) float32 planes.

    Attributes:
        change: what the restorer changed.
        detail: what of the source is finer than the crop.
        mask: (h, w) float32 in [0, 1].
    """

    change: list[Plane]
    detail: list[Plane]
    mask: Plane


@dataclass(frozen=True)
class _Layer:
    """A patch made ready to be sampled on the source's grid.

    Attributes:
        window: of the source pixels that the mask touches.
        patch: it, its restored crop within [0, 1].
        replaced: share of the fine detail that goes.
        known: the change in the whole window, where the faces are small enough for it to be kept.
    """

    window: Window
    patch: Patch
    replaced: float = 0.0
    known: _Change | None = None


def paste(raster: Raster, patches: Sequence[Patch], detail: Detail = "auto") -> Pasted:
    """Paste restored faces into a raster, in place.

    The difference between restored and original crop is added to the source. That leaves standing what is finer than
    the crop's grid: the real detail of a face larger than the crop, but also grain that the restorer removed from
    the crop. `detail` says what becomes of it: `keep` leaves it, `replace` lets the restored crop take its place,
    and `auto` takes away the share E / (E + F), where E is the mean squared change of this face and F the mean
    squared fine detail, both under the mask. So a crop that came back unchanged changes nothing, bit for bit, and
    one made anew replaces the old one.

    Where faces overlap, each pixel gets one blend of their changes, weighted by mask and by nearness to each face's
    centre, as strongly as the strongest of their masks says: the order of patches does not matter, no pixel is changed
    twice, and no seam of original pixels stays between them. Cost depends on the faces' areas only.

    Args:
        raster: its `pixels` are written, in the squares of the patches only.
        patches: all the faces of this raster, their crops cut before any pasting.
        detail: `auto`, `keep` or `replace`.

    Returns:
        what was touched.

    Raises:
        OperatorError: code `bad_restoration`; a restored crop is not finite or has the wrong shape. Nothing was
            written.
    """
    for patch in patches:
        _check(patch)
    windows = tuple(_window(patch.crop, raster) for patch in patches)
    masked = [_masked(patch, raster, window) for patch, window in zip(patches, windows, strict=True)]
    visible = [index for index, window in enumerate(masked) if window[0] < window[2]]
    order = sorted(visible, key=lambda index: (masked[index], *patches[index].crop.affine.ravel()))
    changed = 0
    for group in overlapping(order, masked):
        known = sum(area(masked[index]) for index in group) <= _STRIP_PIXELS
        layers = [_layer(raster, patches[index], masked[index], detail, known) for index in group]
        for strip in strips(union([masked[index] for index in group]), _STRIP_PIXELS):
            changed += _blend(raster, strip, layers)
    return Pasted(windows, changed)


def _check(patch: Patch) -> None:
    shape, size = patch.restored.shape, patch.crop.size
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3 or shape[0] < 1:
        raise OperatorError("bad_restoration", f"restored face of shape {shape}: expected (S, S, 3)")
    if not np.isfinite(patch.restored).all():
        raise OperatorError(
            "bad_restoration",
            "the restored face holds values that are not finite: expected [0, 1]; run the restorer in full precision",
        )
    if patch.mask.shape != (size, size):
        raise OperatorError("bad_restoration", f"mask of shape {patch.mask.shape}: expected ({size}, {size})")


def _window(crop: Crop, raster: Raster) -> Window:
    left, top, right, bottom = pixel_window(
        transform(square_corners(crop.size), invert(crop.affine)), raster.width, raster.height
    )
    return (left, top, right, bottom) if right > left and bottom > top else (0, 0, 0, 0)


def _masked(patch: Patch, raster: Raster, square: Window) -> Window:
    """Return the source pixels of a crop's square that its mask touches; all 0 when there are none."""
    left, top, width, height = cv2.boundingRect((patch.mask > 0).astype(np.uint8))
    if width == 0:
        return (0, 0, 0, 0)
    # A source pixel between two mask pixels sees both, so the mask reaches one crop pixel beyond its last.
    low, high = np.array([left, top]) - 1.0, np.array([left + width, top + height])
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    touched = pixel_window(transform(corners, invert(patch.crop.affine)), raster.width, raster.height)
    return intersection(touched, square) or (0, 0, 0, 0)


def _layer(raster: Raster, patch: Patch, window: Window, detail: Detail, known: bool) -> _Layer:
    restored = np.clip(patch.restored, 0.0, 1.0).astype(np.float32)
    layer = _Layer(window, replace(patch, restored=restored))
    if known:
        layer = replace(layer, known=_change(layer, window, _planes(raster, window)))
    if detail == "keep":
        return layer
    return replace(layer, replaced=1.0 if detail == "replace" else _share_replaced(raster, layer))


def _planes(raster: Raster, window: Window) -> list[Plane]:
    left, top, right, bottom = window
    working = to_working(raster, raster.pixels[top:bottom, left:right])
    return [np.asarray(plane, np.float32) for plane in cv2.split(working)]


def _share_replaced(raster: Raster, layer: _Layer) -> float:
    """Return E / (E + F) of `paste` for one face."""
    energy_change = energy_detail = 0.0
    for strip in [layer.window] if layer.known else strips(layer.window, _STRIP_PIXELS):
        seen = layer.known or _change(layer, strip, _planes(raster, strip))
        energy_change += _energy(seen.change, seen.mask)
        energy_detail += _energy(seen.detail, seen.mask)
    return energy_change / (energy_change + energy_detail) if energy_change > 0.0 else 0.0


def _energy(planes: Sequence[Plane], mask: Plane) -> float:
    """Sum the planes' squares under a mask."""
    squares = np.square(planes[0])
    for plane in planes[1:]:
        squares += np.square(plane)
    squares *= mask
    return float(squares.sum(dtype=np.float64))


def _change(layer: _Layer, part: Window, before: Sequence[Plane]) -> _Change:
    """Sample a layer in a part of its window, `before` being the source there in working colour."""
    crop, restored = layer.patch.crop, layer.patch.restored
    to_source = invert(crop.affine)
    original = sample(crop.pixels, to_source, part)
    target = sample(restored, compose(scaling(crop.size / restored.shape[0]), to_source), part)
    return _Change(
        change=[new - old for new, old in zip(target, original, strict=True)],
        detail=[full - old for full, old in zip(before, original, strict=True)],
        mask=_mask(layer.patch, part),
    )


def _known(layer: _Layer, part: Window, before: Sequence[Plane]) -> _Change:
    """Take a part out of what is known of a layer's window, or sample it."""
    if layer.known is None:
        return _change(layer, part, before)
    left, top = layer.window[:2]
    inside = np.s_[part[1] - top : part[3] - top, part[0] - left : part[2] - left]
    known = layer.known
    return _Change([one[inside] for one in known.change], [one[inside] for one in known.detail], known.mask[inside])


def _blend(raster: Raster, strip: Window, layers: Sequence[_Layer]) -> int:
    """Blend all layers within one strip, write it, and return the number of pixels that changed."""
    left, top, right, bottom = strip
    native = raster.pixels[top:bottom, left:right]
    before = to_working(raster, native)
    planes = [np.asarray(plane, np.float32) for plane in cv2.split(before)]
    change = [np.zeros_like(plane) for plane in planes]
    weights, cover = np.zeros_like(planes[0]), np.zeros_like(planes[0])
    for layer in layers:
        part = intersection(layer.window, strip)
        if part is None:
            continue
        inside = np.s_[part[1] - top : part[3] - top, part[0] - left : part[2] - left]
        seen = _known(layer, part, [plane[inside] for plane in planes])
        weight = _weight(layer.patch, part, seen.mask)
        for total, delta, fine in zip(change, seen.change, seen.detail, strict=True):
            total[inside] += weight * (delta - np.float32(layer.replaced) * fine)
        weights[inside] += weight
        np.maximum(cover[inside], seen.mask, out=cover[inside])
    # Where no mask is, the change is 0 and the pixel keeps its value exactly.
    share = np.divide(cover, weights, out=np.zeros_like(cover), where=weights > 0.0)
    after = joined([np.clip(plane + share * total, 0.0, 1.0) for plane, total in zip(planes, change, strict=True)])
    result = apply_change(raster, native, before, after)
    different = result != native
    changed = int(np.count_nonzero(np.logical_or.reduce([different[..., band] for band in range(native.shape[2])])))
    native[...] = result
    return changed


def _mask(patch: Patch, part: Window) -> Plane:
    """Sample a patch's mask on the source's grid, (h, w) float32 in [0, 1], 0 outside the crop's square."""
    left, top, right, bottom = part
    mask = cv2.warpAffine(
        patch.mask,
        compose(invert(patch.crop.affine), translation(-left, -top)),
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    half = patch.crop.size / 2.0
    x, y = _from_middle(patch.crop, part)
    outside = np.maximum(np.abs(x), np.abs(y)) >= half
    mask = np.clip(mask, 0.0, 1.0)
    mask[outside] = 0.0
    if patch.within is not None:
        mask[~patch.within.inside(part)] = 0.0
    return np.asarray(mask, np.float32)


def _weight(patch: Patch, part: Window, mask: Plane) -> Plane:
    """Return a layer's say where layers overlap, (h, w) float32.

    The weight sinks to 0 with the mask, so a layer ends without a seam inside another, and with the fourth power of the
    distance from the square's centre, so that each face keeps its own features.
    """
    x, y = _from_middle(patch.crop, part)
    squared = (x * x + y * y) / np.float32((patch.crop.size / 2.0) ** 2)
    return np.asarray(mask * mask / (squared * squared + np.float32(1e-3)), np.float32)


def _from_middle(crop: Crop, part: Window) -> tuple[Plane, Plane]:
    """Return how far each source pixel of a part lies from the middle of the crop's square, across and down.

    Returns:
        two (h, w) float32 in crop pixels.
    """
    left, top, right, bottom = part
    middle = (crop.size - 1) / 2.0
    columns, rows = np.arange(left, right, dtype=np.float64), np.arange(top, bottom, dtype=np.float64)
    across, down = (
        np.add.outer((row[1] * rows).astype(np.float32), (row[0] * columns + row[2] - middle).astype(np.float32))
        for row in crop.affine
    )
    return across, down
