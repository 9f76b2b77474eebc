"""What all encoders take and give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.errors import OperatorError
from operators.images.info import ImageInfo
from operators.images.metadata import Metadata

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
class Source:
    """The file a raster was decoded from."""

    data: bytes
    info: ImageInfo
    metadata: Metadata


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
