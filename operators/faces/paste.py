"""Puts restored faces back into the raster they were cut from, and touches nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Affine, Crop
from operators.faces.geometry import compose, invert, pixel_window, scaling, square_corners, transform, translation
from operators.faces.resample import Prepared, Window, prepare, sample
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
    """

    crop: Crop
    restored: NDArray[np.float32]
    mask: NDArray[np.float32]


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
class _Layer:
    """A patch made ready to be sampled on the source's grid; `replaced` is the share of the fine detail that goes."""

    window: Window
    restored: Prepared
    original: Prepared
    mask: NDArray[np.float32]
    to_crop: Affine
    replaced: float = 0.0


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
    order = sorted(range(len(patches)), key=lambda index: (windows[index], *patches[index].crop.affine.ravel()))
    changed = 0
    for group in _overlapping(order, windows):
        layers = [_layer(raster, patches[index], windows[index], detail) for index in group]
        for strip in _strips(_union([windows[index] for index in group])):
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


def _layer(raster: Raster, patch: Patch, window: Window, detail: Detail) -> _Layer:
    crop, restored = patch.crop, np.clip(patch.restored, 0.0, 1.0).astype(np.float32)
    to_source = invert(crop.affine)
    from_restored = compose(scaling(crop.size / restored.shape[0]), to_source)
    layer = _Layer(window, prepare(restored, from_restored), prepare(crop.pixels, to_source), patch.mask, crop.affine)
    if detail == "keep":
        return layer
    return replace(layer, replaced=1.0 if detail == "replace" else _share_replaced(raster, layer))


def _share_replaced(raster: Raster, layer: _Layer) -> float:
    """Return E / (E + F) of `paste` for one face."""
    energy_change = energy_detail = 0.0
    for strip in _strips(layer.window):
        mask, _ = _mask_and_weight(layer, strip)
        before = to_working(raster, raster.pixels[strip[1] : strip[3], strip[0] : strip[2]])
        change, detail = _change_and_detail(layer, strip, before)
        energy_change += float((mask * change**2).sum(dtype=np.float64))
        energy_detail += float((mask * detail**2).sum(dtype=np.float64))
    return energy_change / (energy_change + energy_detail) if energy_change > 0.0 else 0.0


def _change_and_detail(
    layer: _Layer, part: Window, before: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the restorer changed, and what of the source is finer than the crop; both (h, w, 3) float32."""
    original = sample(layer.original, part)
    return sample(layer.restored, part) - original, before - original


def _blend(raster: Raster, strip: Window, layers: Sequence[_Layer]) -> int:
    """Blend all layers within one strip, write it, and return the number of pixels that changed."""
    left, top, right, bottom = strip
    native = raster.pixels[top:bottom, left:right]
    before = to_working(raster, native)
    change = np.zeros(before.shape, np.float32)
    weights = np.zeros((*before.shape[:2], 1), np.float32)
    cover = np.zeros_like(weights)
    for layer in layers:
        part = _intersection(layer.window, strip)
        if part is None:
            continue
        inside = np.s_[part[1] - top : part[3] - top, part[0] - left : part[2] - left]
        mask, weight = _mask_and_weight(layer, part)
        delta, fine = _change_and_detail(layer, part, before[inside])
        if layer.replaced > 0.0:
            delta -= np.float32(layer.replaced) * fine
        change[inside] += weight * delta
        weights[inside] += weight
        cover[inside] = np.maximum(cover[inside], mask)
    touched = weights[..., 0] > 0
    if not touched.any():
        return 0
    after = before.copy()
    after[touched] = np.clip(before[touched] + cover[touched] * change[touched] / weights[touched], 0.0, 1.0)
    result = np.where(touched[..., None], apply_change(raster, native, before, after), native)
    changed = int((result != native).any(axis=2).sum())
    native[...] = result
    return changed


def _mask_and_weight(layer: _Layer, part: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sample a layer's mask, and its say where layers overlap.

    The weight sinks to 0 with the mask, so a layer ends without a seam inside another, and with the fourth power of the
    distance from the square's centre, so that each face keeps its own features.

    Returns:
        two (h, w, 1) float32 arrays.
    """
    left, top, right, bottom = part
    size = layer.mask.shape[0]
    mask = cv2.warpAffine(
        layer.mask,
        compose(invert(layer.to_crop), translation(-left, -top)),
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    y, x = np.mgrid[top:bottom, left:right].astype(np.float64)
    crop_xy = transform(np.stack([x, y], axis=-1), layer.to_crop)
    distance = np.hypot(*np.moveaxis(crop_xy - (size - 1) / 2.0, -1, 0)) / (size / 2.0)
    inside = np.abs(crop_xy - (size - 1) / 2.0).max(axis=-1) < size / 2.0
    mask = np.where(inside, np.clip(mask, 0.0, 1.0), 0.0).astype(np.float32)
    weight = mask**2 / (distance**4 + 1e-3)
    return mask[..., None], weight.astype(np.float32)[..., None]


def _intersection(a: Window, b: Window) -> Window | None:
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _union(windows: Sequence[Window]) -> Window:
    lefts, tops, rights, bottoms = zip(*windows, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _overlapping(order: Sequence[int], windows: Sequence[Window]) -> list[list[int]]:
    """Group indices whose windows overlap, directly or through others; each group in the given order."""
    groups: list[list[int]] = []
    for index in order:
        touching = [group for group in groups if any(_intersection(windows[index], windows[one]) for one in group)]
        merged = [one for group in touching for one in group] + [index]
        groups = [group for group in groups if group not in touching] + [merged]
    rank = {index: place for place, index in enumerate(order)}
    return [sorted(group, key=rank.__getitem__) for group in groups]


def _strips(window: Window) -> Iterator[Window]:
    left, top, right, bottom = window
    rows = max(_STRIP_PIXELS // max(right - left, 1), 1)
    for start in range(top, bottom, rows):
        yield left, start, right, min(start + rows, bottom)
