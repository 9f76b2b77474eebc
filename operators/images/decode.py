"""Decode an image file in its own depth and colour space."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from operators.errors import OperatorError
from operators.images.formats import jp2, jpeg, png, tiff, webp
from operators.images.info import ImageInfo
from operators.images.libvips import open_image, to_array
from operators.images.limits import Limits
from operators.images.probe import probe
from operators.images.raster import COLOUR_BANDS, Pixels, Raster
from operators.images.strict import check_opened, decode_strictly


def decode(data: bytes, limits: Limits | None = None) -> Raster:
    """Decode an image file whole, or not at all.

    Values are those the file stores: 16-bit samples stay 16-bit, colours multiplied by opacity stay so, CMYK has
    0 = no ink. Palettes and 2- and 4-bit gray are expanded and white-is-zero gray is turned; `probe(data).notes`
    says so.
    Files without checksums (JPEG, JPEG 2000, uncompressed TIFF) can hide damage that no decoder sees.

    Args:
        data: the whole file.
        limits: bounds on dimensions; the defaults of `Limits` when None.

    Raises:
        OperatorError: as `probe`; `truncated` or `corrupt` when the pixel data is not whole.
    """
    info = probe(data, limits)
    pixels = _decode_jp2(data, info) if info.format == "jp2" else _decode_vips(data, info)
    if pixels.shape[:2] != (info.height, info.width):
        raise OperatorError(
            "corrupt", f"the header states {info.width} x {info.height} pixels, decoding gave {pixels.shape[:2][::-1]}"
        )
    extra = pixels.shape[2] - COLOUR_BANDS[info.space]
    if extra not in (0, 1) or pixels.dtype.itemsize * 8 != info.depth:
        raise OperatorError(
            "unsupported_colour",
            f"expected {info.bands} bands of {info.depth} bits, decoding gave {pixels.shape[2]} of {pixels.dtype}",
        )
    return Raster(
        pixels=pixels,
        space=info.space,
        alpha=extra == 1,
        orientation=info.orientation,
        icc=read_icc(data, info) if info.icc else None,
    )


def read_icc(data: bytes, info: ImageInfo) -> bytes | None:
    """Return the embedded colour profile, None when absent or unreadable."""
    if info.format == "jpeg":
        return jpeg.icc_of(jpeg.segments(data))
    if info.format == "png":
        return png.icc_of(data, png.chunks(data))
    if info.format == "tiff":
        return tiff.icc_of(tiff.find_page(data).directory)
    if info.format == "webp":
        return webp.chunks(data).get(b"ICCP")
    if info.format == "jp2":
        return jp2.icc_of(data)
    return bytes(open_image(data, "heif", "error").get("icc-profile-data"))


def _decode_vips(data: bytes, info: ImageInfo) -> Pixels:
    return decode_strictly(data, info, lambda image: to_array(image, info.format))


def _decode_jp2(data: bytes, info: ImageInfo) -> Pixels:
    if info.depth == 16 and info.space == "rgb":
        return decode_jp2_deep(data)
    return decode_jp2_pillow(data, 0, info)


def decode_jp2_pillow(data: bytes, halvings: int, info: ImageInfo) -> Pixels:
    """Decode a JPEG 2000 file with Pillow, optionally at a lower wavelet resolution.

    Args:
        data: the whole file, checked by `formats.jp2.probe`.
        halvings: how often width and height are halved.
        info: what `probe` said of it.

    Returns:
        (H, W, C) uint8, or uint16 for 16-bit gray. Not for 16-bit colour, see `decode_jp2_deep`.

    Raises:
        OperatorError: `truncated` or `corrupt`.
    """
    try:
        # The plugin's class and not Image.open, whose own size limit would refuse what Limits has let pass.
        with Jpeg2KImageFile(io.BytesIO(data)) as image:
            check_opened(image.width, image.height, len(image.getbands()), info)
            if halvings:
                image.reduce = halvings
            image.load()
            pixels = np.array(image)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise OperatorError("corrupt", f"the JPEG 2000 data cannot be decoded: {error}") from error
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def decode_jp2_deep(data: bytes) -> Pixels:
    """Decode a JPEG 2000 file with 16-bit colour.

    Pillow narrows it to 8 bits, and white wraps around to black. OpenCV keeps it, in the order BGR(A).

    Args:
        data: the whole file, checked by `formats.jp2.probe`.

    Returns:
        (H, W, C) uint16 in the order RGB(A).

    Raises:
        OperatorError: `corrupt`.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(0)  # a damaged file is reported by the error below, not on stderr
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise OperatorError("corrupt", f"the 16-bit JPEG 2000 data cannot be decoded: {error}") from error
    finally:
        cv2.utils.logging.setLogLevel(level)
    if pixels is None or pixels.ndim != 3:
        raise OperatorError("corrupt", "the 16-bit JPEG 2000 data cannot be decoded")
    order = [2, 1, 0, 3][: pixels.shape[2]]
    deep: Pixels = np.ascontiguousarray(pixels[:, :, order].astype(np.uint16, copy=False))
    return deep
