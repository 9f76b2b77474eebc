"""Write JPEG with the source's own quantisation tables and marker segments."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from operators.images.encoders.contract import EncodeOptions, Source, left_behind, unsupported
from operators.images.encoders.jpeg_changes import rewrite
from operators.images.encoders.jpeg_coefficients import CoefficientsError
from operators.images.formats import jpeg, photoshop
from operators.images.formats.jpeg import Segment
from operators.images.metadata import marked_exif
from operators.images.raster import Raster
from operators.images.resized import Resized, jfif_resized, photoshop_resized, xmp_resized

DEFAULT_QUALITY = 95
MAX_SIDE = 65500

_LARGEST = 65533
_ICC_CHUNK = _LARGEST - len(jpeg.ICC_PREFIX) - 2


def encode_jpeg(raster: Raster, source: Source | None, options: EncodeOptions) -> tuple[bytes, list[str]]:
    """Write an 8-bit raster without alpha as JPEG.

    From a JPEG source the quantisation tables, chroma subsampling, progressive order and all metadata segments are
    taken over; from anything else it is quality 95 without subsampling. Where it is also known what changed, the
    source's DCT coefficients stay in every other block, see `rewrite`.

    Returns:
        The file and notes.

    Raises:
        OperatorError: `unsupported_target` for 16-bit samples, alpha, or more than 65500 pixels a side.
    """
    if raster.pixels.dtype != np.uint8:
        raise unsupported("JPEG", "16-bit samples", "TIFF, PNG or JPEG 2000")
    if raster.alpha:
        raise unsupported("JPEG", "an alpha band", "TIFF or PNG")
    if max(raster.width, raster.height) > MAX_SIDE:
        raise unsupported("JPEG", f"more than {MAX_SIDE} pixels a side", "TIFF or PNG")
    same = source is not None and source.info.format == "jpeg"
    notes: list[str] = []
    bare = _rewritten(raster, source, notes) if same and source is not None and options.quality is None else None
    kept = bare is not None
    if bare is None:
        bare = _afresh(raster, source, options, notes)
    exif, exif_notes = marked_exif(source.metadata.exif if source else None, raster.orientation, options.mark)
    notes += exif_notes
    if same and source is not None:
        return _assemble(
            bare, _segments_of_source(source, exif, notes, keep_adobe=kept and not source.widened), keep_jfif=False
        ), notes
    carried = _segments_of_metadata(raster, source, exif, notes)
    return _assemble(bare, carried, keep_jfif=True), notes


def _rewritten(raster: Raster, source: Source, notes: list[str]) -> bytes | None:
    """Return the source with nothing but its changed blocks changed; None, perhaps with a note, when that cannot be."""
    if source.changes is None:
        return None
    try:
        return rewrite(raster, source, source.changes)
    except CoefficientsError as error:
        notes.append(f"pixels outside the faces changed a little, the whole picture was encoded afresh: {error}")
        return None


def _afresh(raster: Raster, source: Source | None, options: EncodeOptions, notes: list[str]) -> bytes:
    same = source is not None and source.info.format == "jpeg"
    settings: dict[str, Any] = {"quality": DEFAULT_QUALITY, "subsampling": 0}
    if same and source is not None and options.quality is None:
        settings, setting_notes = _settings_of(source, raster)
        notes += setting_notes
    elif options.quality is not None:
        settings["quality"] = options.quality
    if source is not None and source.metadata.dpi and not same:
        settings["dpi"] = source.metadata.dpi
    out = io.BytesIO()
    flat = raster.pixels[:, :, 0] if raster.space == "gray" else raster.pixels
    image = Image.fromarray(np.ascontiguousarray(flat), "CMYK" if raster.space == "cmyk" else None)
    image.save(out, "JPEG", **settings)
    return out.getvalue()


def _settings_of(source: Source, raster: Raster) -> tuple[dict[str, Any], list[str]]:
    with JpegImageFile(io.BytesIO(source.data)) as image:
        tables = {i: list(table) for i, table in image.quantization.items()}
        sampling = get_sampling(image)
    notes = []
    if source.widened:
        sampling = 0
    elif raster.space == "rgb" and sampling < 0:
        sampling = 0
        notes.append("the source's unusual chroma subsampling was replaced by none")
    settings: dict[str, Any] = {"qtables": [tables[i] for i in sorted(tables)]}
    if raster.space == "rgb":
        settings["subsampling"] = sampling
    if source.info.compression.endswith("progressive"):
        settings["progressive"] = True
    return settings, notes


def _segments_of_source(source: Source, exif: bytes | None, notes: list[str], *, keep_adobe: bool) -> list[Segment]:
    """Return the source's own segments in their order, with the EXIF block exchanged.

    Adobe's says which colours the components are, so it goes with the components and not with a fresh encoding.
    """
    carried: list[Segment] = []
    placed = False
    for segment in jpeg.segments(source.data):
        is_exif = segment.marker == jpeg.APP1 and segment.payload.startswith(jpeg.EXIF_PREFIX)
        if source.widened and segment.marker == jpeg.APP2 and segment.payload.startswith(jpeg.ICC_PREFIX):
            continue
        if segment.marker == jpeg.APP2 and segment.payload.startswith(jpeg.MPF_PREFIX):
            notes.append("not carried: index of the multi-picture file and the pictures it points to")
        elif is_exif and not placed:
            carried += _exif_segment(exif, segment.payload, notes)
            placed = True
        elif segment.marker == jpeg.COM or (
            0xE0 <= segment.marker <= 0xEF and (keep_adobe or segment.marker != jpeg.APP14)
        ):
            carried.append(_resized(segment, source.resized) if source.resized else segment)
    if not placed:
        first = 1 if carried and carried[0].marker == jpeg.APP0 else 0
        carried[first:first] = _exif_segment(exif, None, notes)
    return carried


def _resized(segment: Segment, change: Resized) -> Segment:
    """Return a segment with sizes and resolution of the raster; one that would outgrow itself stays."""
    payload = segment.payload
    if segment.marker == jpeg.APP0:
        payload = jfif_resized(payload, change)
    elif segment.marker == jpeg.APP1 and payload.startswith(jpeg.XMP_PREFIX):
        payload = jpeg.XMP_PREFIX + xmp_resized(payload[len(jpeg.XMP_PREFIX) :], change)
    elif segment.marker == jpeg.APP13 and payload.startswith(jpeg.PHOTOSHOP_PREFIX):
        payload = jpeg.PHOTOSHOP_PREFIX + photoshop_resized(payload[len(jpeg.PHOTOSHOP_PREFIX) :], change)
    return replace(segment, payload=payload) if len(payload) <= _LARGEST else segment


def _segments_of_metadata(raster: Raster, source: Source | None, exif: bytes | None, notes: list[str]) -> list[Segment]:
    carried = _exif_segment(exif, None, notes)
    if raster.icc:
        pieces = [raster.icc[i : i + _ICC_CHUNK] for i in range(0, len(raster.icc), _ICC_CHUNK)]
        if len(pieces) < 256:
            head = [jpeg.ICC_PREFIX + bytes([i + 1, len(pieces)]) for i in range(len(pieces))]
            carried += [Segment(jpeg.APP2, h + p) for h, p in zip(head, pieces, strict=True)]
        else:
            notes.append(f"not carried: ICC profile of {len(raster.icc)} bytes, too large for JPEG")
    if source is None:
        return carried
    metadata = source.metadata
    resources = metadata.photoshop or (photoshop.wrap_iptc(metadata.iptc) if metadata.iptc else None)
    named = [("XMP packet", jpeg.APP1, jpeg.XMP_PREFIX, metadata.xmp)]
    named += [("IPTC and Photoshop resources", jpeg.APP13, jpeg.PHOTOSHOP_PREFIX, resources)]
    named += [("comment", jpeg.COM, b"", comment) for comment in metadata.comments]
    for name, marker, prefix, payload in named:
        if payload and len(prefix) + len(payload) <= _LARGEST:
            carried.append(Segment(marker, prefix + payload))
        elif payload:
            notes.append(f"not carried: {name} of {len(payload)} bytes, too large for JPEG")
    notes += left_behind(metadata)
    return carried


def _exif_segment(exif: bytes | None, original: bytes | None, notes: list[str]) -> list[Segment]:
    """Return the EXIF segment; when it has outgrown a segment, the original one and a note."""
    if exif is not None and len(jpeg.EXIF_PREFIX) + len(exif) <= _LARGEST:
        return [Segment(jpeg.APP1, jpeg.EXIF_PREFIX + exif)]
    if exif is not None:
        notes.append(
            f"an EXIF block of {len(exif)} bytes does not fit into JPEG: "
            + ("the source's own was kept, without the mark" if original else "not carried")
        )
    return [Segment(jpeg.APP1, original)] if original else []


def _assemble(bare: bytes, carried: list[Segment], *, keep_jfif: bool) -> bytes:
    """Put segments into a JPEG file as Pillow writes it, behind its JFIF header or in place of it."""
    after_jfif = 4 + int.from_bytes(bare[4:6], "big") if bare[2:4] == b"\xff\xe0" else 2
    head = bare[:after_jfif] if keep_jfif else bare[:2]
    blocks = [
        bytes([0xFF, segment.marker]) + (len(segment.payload) + 2).to_bytes(2, "big") + segment.payload
        for segment in carried
    ]
    return b"".join([head, *blocks, bare[after_jfif:]])
