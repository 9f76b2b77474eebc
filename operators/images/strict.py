"""Decode with libvips so that damage is an error and harmless oddities are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from operators.errors import OperatorError
from operators.images.formats import tiff
from operators.images.formats.tiff_directory import Directory
from operators.images.formats.tiff_integrity import check_deflate, without_description
from operators.images.info import ImageInfo
from operators.images.libvips import open_image

# libjpeg warns of stuffing bytes before the end marker, which some cameras write; the picture is complete.
_HARMLESS_JPEG = "extraneous bytes before marker 0xd9"

# CMYK with alpha.
_MOST_BANDS = 5

T = TypeVar("T")


def decode_strictly(data: bytes, info: ImageInfo, render: Callable[[Any], T], **options: Any) -> T:
    """Open a file and render it, raising when any part of its pixel data is damaged as far as its format can tell.

    Args:
        data: the whole file, not JPEG 2000.
        info: what `probe` said of it.
        render: gets the opened image, may be called twice.
        options: of the libvips loader.

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_format`; and what `render` raises.
    """

    def checked(image: Any) -> T:
        check_opened(image.width, image.height, image.bands, info)
        return render(image)

    if info.format == "jpeg":
        return _decode_jpeg(data, checked, **options)
    if info.format == "tiff":
        return _decode_tiff(data, info, checked)
    return checked(open_image(data, info.format, "error", **options))


def check_opened(width: int, height: int, bands: int, info: ImageInfo) -> None:
    """Refuse an image in which the decoder sees more pixels than the header that was held against the limits.

    Two readers of one damaged or forged file need not agree: of a tag that stands twice, one may take the first and
    the other the last.

    Args:
        width: as the decoder sees it, before it decodes.
        height: likewise.
        bands: likewise.
        info: what `probe` said.

    Raises:
        OperatorError: `corrupt`.
    """
    if width > info.width or height > info.height or bands > max(info.bands, _MOST_BANDS):
        raise OperatorError(
            "corrupt",
            f"the header states {info.width} x {info.height} pixels, the decoder sees {width} x {height} of {bands} "
            "bands; fetch the file again",
        )


def _decode_jpeg(data: bytes, render: Callable[[Any], T], **options: Any) -> T:
    try:
        return render(open_image(data, "jpeg", "warning", **options))
    except OperatorError as error:
        if _HARMLESS_JPEG not in error.message:
            raise
    return render(open_image(data, "jpeg", "error", **options))


def _decode_tiff(data: bytes, info: ImageInfo, render: Callable[[Any], T]) -> T:
    page = tiff.find_page(data)
    if tiff.has_associated_alpha(page.directory):
        data = _as_unassociated(data, page.directory)
        page = tiff.find_page(data)
    if info.compression == "deflate":
        check_deflate(data, page.directory)
    try:
        # At a lower level a damaged tile comes back as whatever was decoded of it, without an error.
        return render(open_image(data, "tiff", "warning", page=page.index))
    except OperatorError:
        copy = without_description(data, page.directory)
    if copy is None:
        return render(open_image(data, "tiff", "error", page=page.index))
    return render(open_image(copy, "tiff", "warning"))


def _as_unassociated(data: bytes, directory: Directory) -> bytes:
    """Rewrite ExtraSamples from 1 to 2, so that libvips does not divide the stored colours by the opacity."""
    entry = directory["tags"][tiff.EXTRA_SAMPLES]
    position = entry.get("offset", entry["datapos"])
    patched = bytearray(data)
    patched[position : position + 2] = (2).to_bytes(2, "big" if directory["bigEndian"] else "little")
    return bytes(patched)
