"""A small display-ready view of an image, for detection and reports, at bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.images.decode import decode_jp2_deep, decode_jp2_pillow, read_icc
from operators.images.formats import jp2
from operators.images.icc import cmyk_to_srgb
from operators.images.info import ImageInfo
from operators.images.libvips import from_array, to_array
from operators.images.limits import Limits
from operators.images.probe import probe
from operators.images.raster import COLOUR_BANDS, Raster, Space
from operators.images.strict import decode_strictly

_JPEG_SHRINKS = (8, 4, 2)


@dataclass(frozen=True)
class Reduced:
    """A view of an image in stored orientation.

    Attributes:
        pixels: (h, w, 3) uint8 RGB. 16-bit samples are scaled by 255/65535, gray is replicated, CMYK goes through its
            profile, alpha is left out.
        scale_x: reduced pixels per source pixel: x_reduced = (x_source + 0.5) * scale_x - 0.5.
        scale_y: the same for rows.
    """

    pixels: NDArray[np.uint8]
    scale_x: float
    scale_y: float


def decode_reduced(data: bytes, min_scale: float, limits: Limits | None = None) -> Reduced:
    """Decode an image file at a reduced size without holding all its pixels.

    JPEG and WebP shrink while decoding and JPEG 2000 leaves out wavelet levels; TIFF and PNG are streamed through a
    box filter. Some hold a whole image all the same: interlaced PNG, progressive JPEG (its coefficients), HEIF, and
    JPEG 2000 with 16-bit colour.

    Args:
        data: the whole file.
        min_scale: smallest allowed scale in (0, 1]; 1 decodes at full size. The result's scale is the smallest that
            is cheap to reach, at least `min_scale`, and 1 where that is above one half.
        limits: bounds on dimensions; the defaults of `Limits` when None.

    Raises:
        OperatorError: as `decode`.
        ValueError: when `min_scale` is not in (0, 1].
    """
    factor = _factor(min_scale)
    info = probe(data, limits)
    factor = min(factor, info.width, info.height)
    icc = read_icc(data, info) if info.icc and info.space == "cmyk" else None
    if info.format == "jp2":
        return _reduce_jp2(data, info, factor)
    if info.format == "jpeg":
        shrink = next((s for s in _JPEG_SHRINKS if s <= factor), 1)
        rest = factor // shrink
        pixels = decode_strictly(data, info, lambda image: _view(image, "jpeg", info.space, icc, rest), shrink=shrink)
        return Reduced(pixels, 1 / (shrink * rest), 1 / (shrink * rest))
    if info.format == "webp" and factor > 1:
        pixels = decode_strictly(data, info, lambda image: _view(image, "webp", info.space, icc, 1), scale=1 / factor)
        return Reduced(pixels, pixels.shape[1] / info.width, pixels.shape[0] / info.height)
    pixels = decode_strictly(data, info, lambda image: _view(image, info.format, info.space, icc, factor))
    return Reduced(pixels, 1 / factor, 1 / factor)


def reduce_raster(raster: Raster, min_scale: float) -> Reduced:
    """Return the same view from a raster that is already decoded.

    Args:
        raster: any raster.
        min_scale: as in `decode_reduced`.

    Raises:
        ValueError: when `min_scale` is not in (0, 1].
    """
    factor = min(_factor(min_scale), raster.width, raster.height)
    image = from_array(raster.pixels, raster.space)
    return Reduced(_view(image, "raster", raster.space, raster.icc, factor), 1 / factor, 1 / factor)


def _factor(min_scale: float) -> int:
    if not 0 < min_scale <= 1:
        raise ValueError(f"min_scale {min_scale}: expected a number above 0, at most 1")
    return math.floor(1 / min_scale + 1e-9)


def _view(image: Any, name: str, space: Space, icc: bytes | None, factor: int) -> NDArray[np.uint8]:
    """Box-filter an opened image by a whole factor and make it 8-bit RGB, streaming from top to bottom."""
    bands = COLOUR_BANDS[space]
    if image.bands > bands:
        image = image.extract_band(0, n=bands)
    if factor > 1:
        # Without the rounding up, the last rows and columns would be lost. Either way a pixel covers factor x factor.
        image = image.shrink(factor, factor, ceil=True)
    if space == "cmyk":
        image = cmyk_to_srgb(image, icc, 8)
    elif image.format == "ushort":
        image = (image / 257).rint().cast("uchar")
    pixels: NDArray[Any] = to_array(image, name)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
        raise OperatorError("unsupported_colour", f"the view has {pixels.shape[2]} bands of {pixels.dtype}")
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _reduce_jp2(data: bytes, info: ImageInfo, factor: int) -> Reduced:
    levels = jp2.read_codestream(data, jp2.codestream_span(data)).levels
    deep_colour = info.depth == 16 and info.space == "rgb"
    halvings = 0 if deep_colour else _halvings(info, min(factor.bit_length() - 1, levels))
    pixels = decode_jp2_deep(data) if deep_colour else decode_jp2_pillow(data, halvings, info)
    pixels = _centre_wavelet(pixels[:, :, : COLOUR_BANDS[info.space]], halvings)
    rest = factor >> halvings
    scale = 0.5**halvings / rest
    return Reduced(_view(from_array(pixels, info.space), "jp2", info.space, None, rest), scale, scale)


def _halvings(info: ImageInfo, most: int) -> int:
    """Return how often Pillow can halve a JPEG 2000 image.

    The standard rounds halved sizes up, Pillow (13.0) rounds to nearest and then fails where the two differ.
    """
    for halvings in range(most, 1, -1):
        power = 1 << halvings
        if all((side + power // 2) // power == -(-side // power) for side in (info.width, info.height)):
            return halvings
    return min(most, 1)


def _centre_wavelet(pixels: NDArray[Any], halvings: int) -> NDArray[Any]:
    """Move a low-pass wavelet image so that its pixels sit at the centres of the squares they stand for.

    Low-pass sample k of r halvings lies at source position 2^r k (T.800 annex F, filters symmetric about even
    samples), while the centre of its square is at 2^r k + (2^r - 1) / 2.
    """
    if not halvings:
        return pixels
    shift = (2**halvings - 1) / 2 / 2**halvings
    matrix = np.array([[1, 0, shift], [0, 1, shift]], np.float64)
    height, width = pixels.shape[:2]
    moved: NDArray[Any] = cv2.warpAffine(
        np.ascontiguousarray(pixels),
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved.reshape(pixels.shape)
