"""HEIF files: what libvips' reader says of them. The bundled build decodes AVIF; HEVC needs a system libvips."""

from __future__ import annotations

from operators.errors import OperatorError
from operators.images.formats.boxes import boxes
from operators.images.info import ImageInfo
from operators.images.libvips import open_image


def probe(data: bytes) -> ImageInfo:
    """Read the header of a HEIF or AVIF file. Rotation is part of decoding here, so the orientation is 1.

    Raises:
        OperatorError: `truncated`, `corrupt`, `unsupported_format`, `multi_page` or `unsupported_colour`.
    """
    boxes(data)  # raises when the file is cut short, which the decoder words as any other damage
    try:
        image = open_image(data, "heif", "error")
    except OperatorError as error:
        if b"heic" in data[:64] or b"heix" in data[:64]:
            raise OperatorError(
                "unsupported_format",
                f"this HEIC file cannot be read here ({error.message}); convert it to TIFF, PNG or JPEG first",
            ) from error
        raise
    fields = set(image.get_fields())
    pages = int(image.get("n-pages")) if "n-pages" in fields else 1
    bits = int(image.get("bits-per-sample")) if "bits-per-sample" in fields else 8
    if pages > 1:
        raise OperatorError("multi_page", f"the HEIF file holds {pages} images; split it into single images first")
    if bits != 8:
        raise OperatorError("unsupported_colour", f"the HEIF image has {bits} bits a sample; 8 are supported")
    return ImageInfo(
        format="heif",
        width=image.width,
        height=image.height,
        depth=8,
        space="gray" if image.bands <= 2 else "rgb",
        alpha=bool(image.hasalpha()),
        compression=str(image.get("heif-compression")) if "heif-compression" in fields else "",
        icc="icc-profile-data" in fields,
    )
