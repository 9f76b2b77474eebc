"""libvips, set up once per process for strict and repeatable work."""

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np
import pyvips

from operators.errors import OperatorError
from operators.images.raster import Pixels, Space

LOADERS = {
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
    "tiff": "tiffload_buffer",
    "webp": "webpload_buffer",
    "heif": "heifload_buffer",
}

_INTERPRETATIONS: dict[tuple[Space, int], str] = {
    ("gray", 1): "b-w",
    ("gray", 2): "grey16",
    ("rgb", 1): "srgb",
    ("rgb", 2): "rgb16",
    ("cmyk", 1): "cmyk",
    ("cmyk", 2): "cmyk",
}
_TRUNCATION_WORDS = ("premature end", "read error", "truncat", "not enough data", "end of stream")


@functools.cache
def vips() -> Any:
    """Return the pyvips module with caching off, one thread and warnings silenced.

    The operation cache would keep pixels of past images alive. Warnings are not lost: `fail_on` turns those that
    matter into errors. Flows run one process a core, so one thread an image is enough.
    """
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    return pyvips


def open_image(data: bytes, image_format: str, fail_on: str, **options: Any) -> Any:
    """Open an encoded image for one pass from top to bottom; pixels are decoded when they are asked for.

    Args:
        data: the whole file. The image keeps a reference to it.
        image_format: a key of `LOADERS`.
        fail_on: `error` or `warning`.
        options: further arguments of the loader (`shrink`, `page`, ...).

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_format`.
    """
    lib = vips()
    lib.vips_lib.vips_error_clear()
    try:
        loader = getattr(lib.Image, LOADERS[image_format])
        return loader(data, access="sequential", fail_on=fail_on, **options)
    except lib.Error as error:
        raise decode_error(error, image_format) from error


def to_array(image: Any, image_format: str) -> Pixels:
    """Decode an opened image.

    Returns:
        (H, W, C) uint8 or uint16, C-contiguous and writable.

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_colour`.
    """
    lib = vips()
    try:
        pixels = image.numpy()
    except lib.Error as error:
        raise decode_error(error, image_format) from error
    if pixels.dtype not in (np.uint8, np.uint16):
        raise OperatorError(
            "unsupported_colour", f"samples are of type {pixels.dtype}; expected 8- or 16-bit unsigned integers"
        )
    shaped: Pixels = pixels.reshape(image.height, image.width, image.bands)
    return shaped


def from_array(pixels: Pixels, space: Space) -> Any:
    """Wrap (H, W, C) uint8 or uint16 pixels as a libvips image without copying them."""
    contiguous = np.ascontiguousarray(pixels)
    return vips().Image.new_from_array(contiguous, interpretation=_INTERPRETATIONS[space, pixels.dtype.itemsize])


def decode_error(error: Exception, image_format: str) -> OperatorError:
    """Turn a libvips error into a quarantine reason."""
    text = " ".join(str(error).split())
    code = "truncated" if any(word in text.lower() for word in _TRUNCATION_WORDS) else "corrupt"
    if "not a known" in text or "no such operation" in text or "unsupported" in text.lower():
        code = "unsupported_format"
    return OperatorError(code, f"the {image_format} data cannot be decoded: {text[:300]}")
