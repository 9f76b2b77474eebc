"""Look at an image file's header and decide whether it can be worked on."""

from __future__ import annotations

from collections.abc import Callable

from operators.images.formats import heif, jp2, jpeg, png, tiff, tiff_guard, webp
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

# Formats in which pages have to be counted by following them one by one, each up to one more than a bound.
FRAMES: dict[Format, Callable[[bytes, int], int]] = {
    "tiff": tiff_guard.count_pages,
    "webp": webp.count_frames,
}


def probe(data: bytes, limits: Limits | None = None) -> ImageInfo:
    """Read an image file's header without decoding pixels.

    Args:
        data: the whole file.
        limits: bounds on dimensions; the defaults of `Limits` when None.

    Raises:
        OperatorError: `empty_file`, `not_an_image`, `unsupported_format`, `unsupported_colour`, `multi_page`,
            `too_many_frames`, `truncated`, `corrupt`, `too_large` or `too_small`.
    """
    bounds, name = limits or Limits(), sniff(data)
    bounds.check_frames(FRAMES[name](data, bounds.max_frames) if name in FRAMES else 1)
    info = PROBES[name](data)
    bounds.check(info.width, info.height, info.bytes_per_pixel, len(data))
    return info
