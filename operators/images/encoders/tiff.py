"""Write TIFF with the source's descriptive tags."""

from __future__ import annotations

import io
from typing import Any

import tifftools

from operators.images.encoders.contract import EncodeOptions, Source, left_behind
from operators.images.exif import PROCESSING_SOFTWARE
from operators.images.formats import tiff
from operators.images.formats.tiff_directory import Directory, number, numbers, raw, read_directories
from operators.images.formats.tiff_exif import LAYERS, descriptive_tags, has_maker_note
from operators.images.libvips import from_array
from operators.images.metadata import marked_exif
from operators.images.raster import Raster
from operators.images.resized import Resized, tiff_tags_resized

_ASCII, _SHORT, _RATIONAL, _UNDEFINED, _BYTE = 2, 3, 5, 7, 1
_IMAGE_DESCRIPTION = 270
_BIG = 3_900_000_000
_PREDICTED = frozenset({"lzw", "deflate"})

Tags = dict[int, dict[str, Any]]

# libvips always writes a resolution; when the source states none, neither does the derivative (unit 1 = none).
_NO_RESOLUTION: Tags = {
    tiff.X_RESOLUTION: {"datatype": _RATIONAL, "data": [1, 1]},
    tiff.Y_RESOLUTION: {"datatype": _RATIONAL, "data": [1, 1]},
    tiff.RESOLUTION_UNIT: {"datatype": _SHORT, "data": [1]},
}


def encode_tiff(raster: Raster, source: Source | None, options: EncodeOptions) -> tuple[bytes, list[str]]:
    """Write any raster as TIFF, lossless.

    From a TIFF source compression, tiling and BigTIFF are taken over and all descriptive tags of the page and its EXIF,
    GPS and private tags are carried. Lossy compressions inside TIFF are not repeated: deflate takes their place.

    Returns:
        The file and notes.
    """
    notes: list[str] = []
    same = tiff.find_page(source.data).directory if source and source.info.format == "tiff" else None
    compression = _compression(source if same else None, options, notes)
    settings: dict[str, Any] = {"compression": compression, "keep": "none"}
    if compression in _PREDICTED:
        settings["predictor"] = "horizontal"
    if same and number(same, tiff.TILE_WIDTH, 0) and number(same, tiff.TILE_HEIGHT, 0):
        settings |= {"tile": True, "tile_width": number(same, tiff.TILE_WIDTH, 0)}
        settings |= {"tile_height": number(same, tiff.TILE_HEIGHT, 0)}
    big = raster.pixels.nbytes > _BIG or bool(same and same["bigtiff"])
    written = from_array(raster.pixels, raster.space).tiffsave_buffer(bigtiff=big, **settings)
    directory = read_directories(written)[0]
    if same is not None:
        tags = _tags_of_source(same, raster, options, notes, source.resized if source else None)
    else:
        tags = _tags_of_metadata(raster, source, options, notes)
    directory["tags"] |= _NO_RESOLUTION | tags
    directory["tags"][tiff.ORIENTATION] = {"datatype": _SHORT, "data": [raster.orientation]}
    if source is not None and source.widened:
        directory["tags"].pop(tiff.ICC, None)
    if raster.icc:
        directory["tags"][tiff.ICC] = {"datatype": _UNDEFINED, "data": raster.icc}
    out = io.BytesIO()
    tifftools.write_tiff([directory], out, bigEndian=directory["bigEndian"], bigtiff=big)
    return out.getvalue(), notes


def _compression(source: Source | None, options: EncodeOptions, notes: list[str]) -> str:
    if options.compression != "same":
        return options.compression
    if source is None:
        return "deflate"
    found = source.info.compression
    if found in ("none", "lzw", "deflate", "packbits"):
        return found
    notes.append(f"the source's {found} compression was replaced by deflate, which keeps all pixels")
    return "deflate"


def _tags_of_source(
    source: Directory, raster: Raster, options: EncodeOptions, notes: list[str], resized: Resized | None
) -> Tags:
    tags: Tags = descriptive_tags(source)
    if resized is not None:
        tags = tiff_tags_resized(tags, resized)
    iptc = raw(source, tiff.IPTC)
    if iptc is not None:  # often mistyped as LONG, which a change of byte order would garble
        tags[tiff.IPTC] = {"datatype": _UNDEFINED, "data": iptc}
    if raster.alpha and numbers(source, tiff.EXTRA_SAMPLES):
        tags[tiff.EXTRA_SAMPLES] = {"datatype": _SHORT, "data": list(numbers(source, tiff.EXTRA_SAMPLES)[:1])}
    if LAYERS in source["tags"]:
        notes.append("not carried: Photoshop's layers, which show the unrestored picture")
    if has_maker_note(source):
        notes.append("the camera's maker note was moved: offsets inside it may no longer hold")
    if options.mark:
        earlier = tags.get(PROCESSING_SOFTWARE, {}).get("data")
        text = f"{earlier}; {options.mark}" if isinstance(earlier, str) and earlier else options.mark
        tags[PROCESSING_SOFTWARE] = _ascii(text)
    return tags


def _tags_of_metadata(raster: Raster, source: Source | None, options: EncodeOptions, notes: list[str]) -> Tags:
    exif, exif_notes = marked_exif(source.metadata.exif if source else None, raster.orientation, options.mark)
    notes += exif_notes
    tags: Tags = {}
    if exif is not None:
        directory = read_directories(exif, "EXIF")[0]
        tags = descriptive_tags(directory)
        if has_maker_note(directory):
            notes.append("the camera's maker note was moved: offsets inside it may no longer hold")
    if source is None:
        return tags
    metadata = source.metadata
    if metadata.dpi:
        for tag, value in zip((tiff.X_RESOLUTION, tiff.Y_RESOLUTION), metadata.dpi, strict=True):
            tags[tag] = {"datatype": _RATIONAL, "data": [round(value * 10000), 10000]}
        tags[tiff.RESOLUTION_UNIT] = {"datatype": _SHORT, "data": [2]}
    if metadata.xmp:
        tags[tiff.XMP] = {"datatype": _BYTE, "data": metadata.xmp}
    if metadata.iptc:
        tags[tiff.IPTC] = {"datatype": _UNDEFINED, "data": metadata.iptc}
    if metadata.photoshop:
        tags[tiff.PHOTOSHOP] = {"datatype": _BYTE, "data": metadata.photoshop}
    if metadata.comments and _IMAGE_DESCRIPTION not in tags:
        text = b"\n".join(metadata.comments).decode("utf-8", "replace").replace("\x00", "")
        tags[_IMAGE_DESCRIPTION] = {"datatype": _ASCII, "data": text}
    notes += left_behind(metadata)
    return tags


def _ascii(text: str) -> dict[str, Any]:
    return {"datatype": _ASCII, "data": text.encode("ascii", "replace").decode()}
