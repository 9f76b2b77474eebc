"""Decode an image file in its own depth and colour space."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from operators.errors import OperatorError
from operators.images.formats import jp2, jpeg, png, tiff, webp
from operators.images.formats.tiff_directory import Directory
from operators.images.info import ImageInfo
from operators.images.libvips import open_image, to_array
from operators.images.limits import Limits
from operators.images.probe import probe
from operators.images.raster import COLOUR_BANDS, Pixels, Raster

# libjpeg warns of stuffing bytes before the end marker, which some cameras write; the picture is complete.
_HARMLESS_JPEG = "extraneous bytes before marker 0xd9"


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


def vips_source(data: bytes, info: ImageInfo) -> tuple[bytes, dict[str, int]]:
    """Return what to hand to the libvips loader so that it yields stored values of the right page.

    Returns:
        The file's bytes, changed in one tag for a TIFF with associated alpha, and the loader's options.
    """
    if info.format != "tiff":
        return data, {}
    page = tiff.find_page(data)
    options = {"page": page.index} if page.index else {}
    return (_as_unassociated(data, page.directory) if tiff.has_associated_alpha(page.directory) else data), options


def _decode_vips(data: bytes, info: ImageInfo) -> Pixels:
    source, options = vips_source(data, info)
    if info.format != "jpeg":
        return to_array(open_image(source, info.format, "error", **options), info.format)
    try:
        return to_array(open_image(source, "jpeg", "warning"), "jpeg")
    except OperatorError as error:
        if _HARMLESS_JPEG not in error.message:
            raise
    return to_array(open_image(source, "jpeg", "error"), "jpeg")


def _as_unassociated(data: bytes, directory: Directory) -> bytes:
    """Rewrite ExtraSamples from 1 to 2, so that libvips does not divide the stored colours by the opacity."""
    entry = directory["tags"][tiff.EXTRA_SAMPLES]
    position = entry.get("offset", entry["datapos"])
    patched = bytearray(data)
    patched[position : position + 2] = (2).to_bytes(2, "big" if directory["bigEndian"] else "little")
    return bytes(patched)


def _decode_jp2(data: bytes, info: ImageInfo) -> Pixels:
    if info.depth == 16 and info.space == "rgb":
        return _decode_jp2_deep(data)
    return decode_jp2_pillow(data, 0)


def decode_jp2_pillow(data: bytes, halvings: int) -> Pixels:
    """Decode a JPEG 2000 file with Pillow, optionally at a lower wavelet resolution.

    Args:
        data: the whole file, checked by `formats.jp2.probe`.
        halvings: how often width and height are halved.

    Returns:
        (H, W, C) uint8, or uint16 for 16-bit gray. 16-bit colour comes back as its upper 8 bits.

    Raises:
        OperatorError: `truncated` or `corrupt`.
    """
    try:
        # The plugin's class and not Image.open, whose own size limit would refuse what Limits has let pass.
        with Jpeg2KImageFile(io.BytesIO(data)) as image:
            if halvings:
                image.reduce = halvings
            image.load()
            pixels = np.array(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise OperatorError("corrupt", f"the JPEG 2000 data cannot be decoded: {error}") from error
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _decode_jp2_deep(data: bytes) -> Pixels:
    # Pillow narrows 16-bit colour to 8 bits; OpenCV keeps it, in the order BGR(A).
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise OperatorError("corrupt", "the 16-bit JPEG 2000 data cannot be decoded")
    order = [2, 1, 0, 3][: pixels.shape[2]]
    deep: Pixels = np.ascontiguousarray(pixels[:, :, order].astype(np.uint16, copy=False))
    return deep
