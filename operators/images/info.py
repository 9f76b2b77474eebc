"""What an image file's header says, in the same words for every format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.images.raster import COLOUR_BANDS, Space

Format = Literal["jpeg", "png", "tiff", "webp", "heif", "jp2"]


@dataclass(frozen=True)
class ImageInfo:
    """Header facts of one image file. Dimensions are as stored, before any rotation.

    Attributes:
        format: container format; AVIF counts as `heif`.
        width: columns of the image that `decode` returns.
        height: rows of it.
        depth: bits a sample of the decoded raster, 8 or 16.
        space: colour space of the decoded raster.
        alpha: whether the decoded raster has an opacity band.
        orientation: EXIF orientation 1..8.
        pages: images in the file, reduced-resolution copies and masks included.
        compression: scheme by its usual short name (`lzw`, `deflate`, `none`, `jpeg`, `vp8l`, ...).
        lossless: whether that scheme gives back the pixels that were put in.
        icc: whether a colour profile is embedded.
        dpi: horizontal and vertical resolution in pixels per inch, None when absent or unitless.
        notes: what decoding changes in representation (palette expanded, white-is-zero turned), for the record.
    """

    format: Format
    width: int
    height: int
    depth: int
    space: Space
    alpha: bool
    orientation: int = 1
    pages: int = 1
    compression: str = ""
    lossless: bool = False
    icc: bool = False
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def bands(self) -> int:
        """Bands of the decoded raster."""
        return COLOUR_BANDS[self.space] + int(self.alpha)

    @property
    def bytes_per_pixel(self) -> int:
        """Of the decoded raster."""
        return self.bands * self.depth // 8
