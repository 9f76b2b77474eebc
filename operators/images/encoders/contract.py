"""What all encoders take and give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.images.info import ImageInfo
from operators.images.metadata import Metadata
from operators.images.raster import Pixels, Raster
from operators.images.resized import Resized

TargetFormat = Literal["same", "jpeg", "png", "tiff", "webp", "jp2"]
TiffCompression = Literal["same", "none", "lzw", "deflate", "packbits"]


@dataclass(frozen=True)
class EncodeOptions:
    """How a derivative is written.

    Attributes:
        format: target format; `same` is the source's.
        quality: None lets the source decide: a JPEG's own quantisation tables, lossless where the source was. A number
            is libjpeg's or libwebp's quality 1..100, or for JPEG 2000 the PSNR in dB. TIFF and PNG ignore it.
        compression: scheme for TIFF; `same` is the source's when that is lossless, deflate otherwise.
        mark: ASCII text that says what was done to the image, None for no mark.
    """

    format: TargetFormat = "same"
    quality: int | None = None
    compression: TiffCompression = "same"
    mark: str | None = None


@dataclass(frozen=True)
class Encoded:
    """A written derivative.

    Attributes:
        data: the whole file.
        extension: usual file extension of its format, with the dot.
        notes: whatever of the source could not be carried.
    """

    data: bytes
    extension: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A part of a raster that may differ from its source, and how it was there.

    Attributes:
        corners: (N, 2) float64 x, y of a convex outline in stored pixels, (0, 0) being the centre of the first one.
        window: left, top, right, bottom (half-open) of pixels inside the image that hold the outline.
        before: (bottom - top, right - left, C) as the source has them.
        afresh: whether nothing of the source may be left where the raster differs from it, as when faces are hidden: a
            JPEG's blocks are then made of the raster alone, and not of what they were and the difference.
    """

    corners: NDArray[np.float64]
    window: tuple[int, int, int, int]
    before: Pixels
    afresh: bool = False

    @classmethod
    def to_come(cls, raster: Raster, corners: NDArray[np.float64], window: tuple[int, int, int, int]) -> Change:
        """Note a part of a raster that still is as its source; to be called before it is changed."""
        left, top, right, bottom = window
        return cls(corners, window, raster.pixels[top : max(bottom, top), left : max(right, left)].copy())


@dataclass(frozen=True)
class Source:
    """The file a raster was decoded from.

    Attributes:
        data: the whole file.
        info: what its header says.
        metadata: in neutral form.
        changes: where the raster may differ from it, None when that is not known.
        widened: whether it is gray and the raster, with the same values, RGB.
        resized: how the raster's size differs from the file's, None when it does not; `metadata` is the raster's.
    """

    data: bytes
    info: ImageInfo
    metadata: Metadata
    changes: Sequence[Change] | None = None
    widened: bool = False
    resized: Resized | None = None


def unsupported(target: str, what: str, keeps: str) -> OperatorError:
    """Return the error for a raster that a format cannot hold."""
    return OperatorError("unsupported_target", f"{target} cannot hold {what}; write {keeps} instead")


def left_behind(metadata: Metadata, *, iptc: bool = False, comments: bool = False) -> list[str]:
    """Return notes on metadata that the neutral form, or the target, has no place for.

    Args:
        metadata: of the source.
        iptc: the target has no place for IPTC and Photoshop resources.
        comments: the target has no place for comments.
    """
    lost = list(metadata.others)
    if iptc and (metadata.iptc or metadata.photoshop):
        lost.append("IPTC and Photoshop resources")
    if comments and metadata.comments:
        lost.append(f"{len(metadata.comments)} comments")
    return [f"not carried: {', '.join(lost)}"] if lost else []
