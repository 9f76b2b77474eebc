"""Write WebP, lossless where the source was."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from operators.images.encoders.contract import EncodeOptions, Source, left_behind, unsupported
from operators.images.metadata import marked_exif
from operators.images.raster import Raster

DEFAULT_QUALITY = 90
MAX_SIDE = 16383


def encode_webp(raster: Raster, source: Source | None, options: EncodeOptions) -> tuple[bytes, list[str]]:
    """Write an 8-bit gray or RGB raster as WebP. Gray is stored as RGB, the format knows no other.

    Returns:
        The file and notes.

    Raises:
        OperatorError: `unsupported_target` for CMYK, 16-bit samples or more than 16383 pixels a side.
    """
    if raster.space == "cmyk":
        raise unsupported("WebP", "CMYK", "TIFF or JPEG")
    if raster.pixels.dtype != np.uint8:
        raise unsupported("WebP", "16-bit samples", "TIFF, PNG or JPEG 2000")
    if max(raster.width, raster.height) > MAX_SIDE:
        raise unsupported("WebP", f"more than {MAX_SIDE} pixels a side", "TIFF or PNG")
    metadata = source.metadata if source else None
    exif, exif_notes = marked_exif(
        metadata.exif if metadata else None, raster.orientation, options.mark, metadata.dpi if metadata else None
    )
    notes = list(exif_notes)
    pixels, icc = raster.pixels, raster.icc
    if raster.space == "gray":
        pixels = pixels[:, :, [0, 0, 0, 1] if raster.alpha else [0, 0, 0]]
        notes.append("gray is stored as RGB in WebP")
        if icc:
            icc = None
            notes.append("not carried: the gray colour profile, which does not fit RGB")
    lossless = options.quality is None and (source is None or source.info.lossless)
    quality = DEFAULT_QUALITY if options.quality is None else options.quality
    if not lossless and options.quality is None:
        notes.append(
            f"the source was lossy: written at WebP quality {DEFAULT_QUALITY}, which changes all pixels a little"
        )
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        out,
        "WEBP",
        lossless=lossless,
        quality=80 if lossless else quality,
        method=4,
        exact=True,
        icc_profile=icc or b"",
        exif=exif or b"",
        xmp=(metadata.xmp if metadata else None) or b"",
    )
    if metadata is not None:
        notes += left_behind(metadata, iptc=True, comments=True)
    return out.getvalue(), notes
