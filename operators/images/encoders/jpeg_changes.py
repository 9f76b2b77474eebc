"""Carry the changes of a raster over into the DCT coefficients of the JPEG file it was decoded from.

What the pixels changed by is transformed and added to the source's coefficients, so a block in which nothing changed
keeps its own, and one in which something did loses no more than the rounding to its quantisation steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.images.encoders.contract import Change, Source
from operators.images.encoders.jpeg_coefficients import ONE_AT_A_TIME, Coefficients, CoefficientsError
from operators.images.formats import jpeg
from operators.images.raster import Raster

Window = tuple[int, int, int, int]

_STRIP_PIXELS = 1 << 20
_EDGE = 1e-6
"""Pixels nearer to an outline than this count as outside, so that rounding never lets one in."""

# JFIF 1.02, page 4: R, G, B to Y, Cb, Cr. A difference needs no offset.
_TO_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]], np.float64
)

_FREQUENCY, _SAMPLE = np.mgrid[0:8, 0:8]
# T.81, A.3.3, as a matrix: the transform of a block b is _DCT @ b @ _DCT.T.
_DCT = np.cos((2 * _SAMPLE + 1) * _FREQUENCY * np.pi / 16) / 2
_DCT[0] /= np.sqrt(2)


@dataclass(frozen=True)
class _Component:
    """One component: what is changed, which blocks are done, and how many pixels a sample is wide and high."""

    plane: NDArray[np.int16]
    table: NDArray[np.uint16]
    done: NDArray[np.bool_]
    wide: int
    high: int


def rewrite(raster: Raster, source: Source, changes: Sequence[Change]) -> bytes:
    """Write the source again with the raster's changes.

    A block is changed only where every pixel that it can reach lies inside the outlines. Decoders blend neighbouring
    samples linearly when they enlarge chroma, so a sample that stands for n pixels reaches n - 1 further, wherever in
    them it is taken to lie. So each pixel outside all outlines decodes as before. At the outlines a change that fills
    only part of a block is left out; with chroma at half the size that shows on squares below some 60 pixels.

    Args:
        raster: decoded from the source, differing from it only inside the changes' outlines.
        source: a JPEG file. One that is gray gets components of colour when the raster has colours.
        changes: where it may differ.

    Returns:
        A JPEG file without application segments.

    Raises:
        CoefficientsError: when this file's coefficients cannot be kept.
    """
    with ONE_AT_A_TIME:
        coefficients = Coefficients(source.data, source.info.compression)
        if source.widened:
            coefficients = coefficients.with_colours()
        _apply(coefficients, raster, source, changes)
        return coefficients.write()


def _apply(coefficients: Coefficients, raster: Raster, source: Source, changes: Sequence[Change]) -> None:
    most_h, most_v = (max(factors) for factors in zip(*coefficients.sampling, strict=True))
    components = []
    for plane, table, (h, v) in zip(coefficients.planes, coefficients.tables, coefficients.sampling, strict=True):
        if most_h % h or most_v % v:
            raise CoefficientsError(f"sampling factors {coefficients.sampling} that do not divide each other")
        done = np.zeros(plane.shape[:2], np.bool_)
        components.append(_Component(plane, table, done, most_h // h, most_v // v))
    colours = len(components) == 3 and (source.widened or not _is_rgb(source.data))
    matrix = _TO_YCBCR if colours else np.eye(len(components))
    for change in changes:
        if change.before.size == 0:
            continue
        for strip in _strips(change.window, 8 * most_h, 8 * most_v):
            difference = _difference(raster, changes, strip) @ matrix.T
            if difference.any():
                whole = _picture(raster, strip) @ matrix.T if change.afresh else None
                for index, component in enumerate(components):
                    # JPEG's samples are centred (T.81, A.3.1); those of colour differences are so already.
                    centre = 128.0 * matrix[index].sum()
                    afresh = whole[..., index] - centre if whole is not None else None
                    _change(component, difference[..., index], strip, raster, changes, afresh)


def _is_rgb(data: bytes) -> bool:
    """Say whether three components are RGB, by the rules of libjpeg (jdapimin.c, default_decompress_parms)."""
    found = jpeg.segments(data)
    if jpeg.payloads(found, jpeg.APP0, jpeg.JFIF_PREFIX):
        return False
    adobe = [payload for payload in jpeg.payloads(found, jpeg.APP14, b"Adobe") if len(payload) >= 7]
    if adobe:
        return adobe[-1][6] == 0
    frame = next(s.payload for s in found if s.marker in (0xC0, 0xC1, 0xC2))
    return bytes(frame[6:15:3]) == b"RGB"


def _strips(window: Window, mcu_width: int, mcu_height: int) -> Iterator[Window]:
    """Cut a window, widened to whole MCUs, into strips that are. They may reach over the image's right and bottom."""
    left, right = window[0] // mcu_width * mcu_width, -(-window[2] // mcu_width) * mcu_width
    top, bottom = window[1] // mcu_height * mcu_height, -(-window[3] // mcu_height) * mcu_height
    rows = max(_STRIP_PIXELS // max(right - left, 1) // mcu_height, 1) * mcu_height
    for start in range(top, bottom, rows):
        yield left, start, right, min(start + rows, bottom)


def _difference(raster: Raster, changes: Sequence[Change], strip: Window) -> NDArray[np.float64]:
    """Return raster minus source in a strip, (h, w, C); past the image's edges the last row and column repeat."""
    left, top, right, bottom = strip
    result = np.zeros((bottom - top, right - left, raster.pixels.shape[2]), np.float64)
    for change in changes:
        x0, y0 = max(change.window[0], left), max(change.window[1], top)
        x1, y1 = min(change.window[2], right), min(change.window[3], bottom)
        if x0 < x1 and y0 < y1:
            before = change.before[y0 - change.window[1] : y1 - change.window[1], x0 - change.window[0] :][:, : x1 - x0]
            result[y0 - top : y1 - top, x0 - left : x1 - left] = raster.pixels[y0:y1, x0:x1] - before.astype(np.float64)
    height, width = min(raster.height - top, bottom - top), min(raster.width - left, right - left)
    result[:, width:] = result[:, width - 1 : width]
    result[height:] = result[height - 1 : height]
    return result


def _picture(raster: Raster, strip: Window) -> NDArray[np.float64]:
    """Return the raster in a strip, (h, w, C); past the image's edges the last row and column repeat."""
    left, top, right, bottom = strip
    part = raster.pixels[top : min(bottom, raster.height), left : min(right, raster.width)].astype(np.float64)
    return np.pad(part, ((0, bottom - top - part.shape[0]), (0, right - left - part.shape[1]), (0, 0)), mode="edge")


def _change(
    component: _Component,
    difference: NDArray[np.float64],
    strip: Window,
    raster: Raster,
    changes: Sequence[Change],
    afresh: NDArray[np.float64] | None = None,
) -> None:
    """Add a strip's difference (h, w) to the blocks of one component that may change.

    Where `afresh` (h, w) is given, such a block is made of it, and what it was has no part in it.
    """
    high, wide = 8 * component.high, 8 * component.wide
    column, row = strip[0] // wide, strip[1] // high
    plane = component.plane[row : strip[3] // high, column : strip[2] // wide]
    done = component.done[row : strip[3] // high, column : strip[2] // wide]
    rows, columns = plane.shape[:2]
    samples = _samples(difference, component, (rows, columns))
    chosen = samples.any(axis=(2, 3)) & ~done & _may_change(component, strip, (rows, columns), raster, changes)
    if afresh is not None:
        samples = _samples(afresh, component, (rows, columns))
        plane[chosen] = 0
    frequencies = (_DCT @ samples[chosen] @ _DCT.T) / component.table
    # 8-bit samples give coefficients of 11 bits at most (T.81, F.1.2); Huffman codes go no further.
    plane[chosen] = np.clip(np.rint(plane[chosen] + frequencies), -1023, 1023).astype(np.int16)
    done |= chosen


def _samples(values: NDArray[np.float64], component: _Component, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return pixels (h, w) as the samples of a component's blocks, (rows, columns, 8, 8)."""
    rows, columns = shape
    part = values[: rows * 8 * component.high, : columns * 8 * component.wide]
    samples = part.reshape(rows, 8, component.high, columns, 8, component.wide).mean(axis=(2, 5)).transpose(0, 2, 1, 3)
    return np.asarray(samples, np.float64)


def _may_change(
    component: _Component, strip: Window, shape: tuple[int, int], raster: Raster, changes: Sequence[Change]
) -> NDArray[np.bool_]:
    """Say of each block in a strip whether all the pixels that it reaches lie inside the outlines."""
    rows, columns = shape
    high, wide = 8 * component.high, 8 * component.wide
    reach_x, reach_y = component.wide - 1, component.high - 1
    left, top = strip[0] - reach_x, strip[1] - reach_y
    right, bottom = strip[0] + columns * wide + reach_x, strip[1] + rows * high + reach_y
    x, y = np.arange(left, right), np.arange(top, bottom)
    inside = np.zeros((y.size, x.size), np.bool_)
    for change in changes:
        if (
            change.window[0] < right
            and left < change.window[2]
            and change.window[1] < bottom
            and top < change.window[3]
        ):
            inside |= _inside(change.corners, x, y)
    inside[(y < 0) | (y >= raster.height)] = True
    inside[:, (x < 0) | (x >= raster.width)] = True
    # Sums over rectangles from sums over all rectangles that start in the corner.
    sums = np.zeros((y.size + 1, x.size + 1), np.int64)
    np.cumsum(np.cumsum(~inside, axis=0), axis=1, out=sums[1:, 1:])
    y0, x0 = np.arange(rows) * high, np.arange(columns) * wide
    y1, x1 = y0 + high + 2 * reach_y, x0 + wide + 2 * reach_x
    outside = sums[np.ix_(y1, x1)] - sums[np.ix_(y0, x1)] - sums[np.ix_(y1, x0)] + sums[np.ix_(y0, x0)]
    return np.asarray(outside == 0, np.bool_)


def _inside(corners: NDArray[np.float64], x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each pixel centre whether it lies inside a convex outline; (len(y), len(x))."""
    following = np.roll(corners, -1, axis=0)
    area = float((corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]).sum())
    result = np.ones((y.size, x.size), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, following, strict=True):
        length = max(float(np.hypot(x1 - x0, y1 - y0)), _EDGE)
        distance = ((x1 - x0) * (y - y0)[:, None] - (y1 - y0) * (x - x0)[None, :]) / length
        result &= distance * np.sign(area) > _EDGE
    return result
