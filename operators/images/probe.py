"""Look at an image file's header and decide whether it can be worked on."""

from __future__ import annotations

from collections.abc import Callable

from operators.images.formats import heif, jp2, jpeg, png, tiff, webp
from operators.images.info import Format, ImageInfo
from operators.images.limits import Limits
from operators.images.sniff import sniff

PROBES: dict[Format, Callable[[bytes], ImageInfo]] = {
    "jpeg": jpeg.probe,
    "png": png.probe,
    "tiff": tiff.probe,
    "webp": webp.probe,
    "heif": heif.probe,
    "jp2": jp2.probe,
}


def probe(data: bytes, limits: Limits | None = None) -> ImageInfo:
    """Read an image file's header without decoding pixels.

    Args:
        data: the whole file.
        limits: bounds on dimensions; the defaults of `Limits` when None.

    Raises:
        OperatorError: `empty_file`, `not_an_image`, `unsupported_format`, `unsupported_colour`, `multi_page`,
            `truncated`, `corrupt`, `too_large` or `too_small`.
    """
    info = PROBES[sniff(data)](data)
    (limits or Limits()).check(info.width, info.height, info.bytes_per_pixel, len(data))
    return info
