"""libvips, set up once per process for strict and repeatable work."""

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np
import pyvips

from operators.errors import OperatorError
from operators.images.raster import Pixels, Space

# libvips' own limits would refuse a TIFF of one large strip and a PNG with a large profile; `limits` guards instead.
_UNLIMITED = frozenset({"tiff", "png"})

_INTERPRETATIONS: dict[tuple[Space, int], str] = {
    ("gray", 1): "b-w",
    ("gray", 2): "grey16",
    ("rgb", 1): "srgb",
    ("rgb", 2): "rgb16",
    ("cmyk", 1): "cmyk",
    ("cmyk", 2): "cmyk",
}
_UNSUPPORTED = ("not a known", "unsupported", "not configured", "not supported")
# Most cut files are found by the formats' own probes; this is libjpeg's word for the rest.
_TRUNCATION = "premature end of jpeg image"


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
        data: the whole file. The image refers to it, without a copy (loaders of buffers make one).
        image_format: as `sniff` names it.
        fail_on: `error` or `warning`.
        options: further arguments of the loader (`shrink`, `page`, ...).

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_format`.
    """
    lib = vips()
    lib.vips_lib.vips_error_clear()
    if image_format in _UNLIMITED:
        options["unlimited"] = True
    try:
        source = lib.Source.new_from_memory(data)
        return lib.Image.new_from_source(source, "", access="sequential", fail_on=fail_on, **options)
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
    code = "truncated" if _TRUNCATION in text.lower() else "corrupt"
    if any(phrase in text.lower() for phrase in _UNSUPPORTED):
        code = "unsupported_format"
    return OperatorError(code, f"the {image_format} data cannot be decoded: {text[:300] or 'libvips gives no reason'}")
