"""Write JPEG 2000, reversible where the source was."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from PIL import Image

from operators.images.encoders.contract import EncodeOptions, Source, left_behind, unsupported
from operators.images.formats import jp2
from operators.images.formats.boxes import Box, box, boxes
from operators.images.metadata import marked_exif
from operators.images.raster import Raster
from operators.images.resized import res_box_resized, xmp_resized

DEFAULT_PSNR = 50
_REVERSIBLE = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]


def encode_jp2(raster: Raster, source: Source | None, options: EncodeOptions) -> tuple[bytes, list[str]]:
    """Write a gray or RGB raster as JPEG 2000.

    A source with the irreversible wavelet is answered with the same wavelet at 50 dB, everything else is reversible.
    16-bit colour is always reversible.

    Returns:
        The file and notes.

    Raises:
        OperatorError: `unsupported_target` for CMYK and for 16-bit gray with alpha.
    """
    deep = raster.pixels.dtype == np.uint16
    if raster.space == "cmyk":
        raise unsupported("JPEG 2000", "CMYK", "TIFF or JPEG")
    if deep and raster.space == "gray" and raster.alpha:
        raise unsupported("JPEG 2000", "16-bit gray with alpha", "TIFF or PNG")
    metadata = source.metadata if source else None
    is_same = source is not None and source.info.format == "jp2"
    dpi = metadata.dpi if metadata and not is_same else None
    exif, exif_notes = marked_exif(metadata.exif if metadata else None, raster.orientation, options.mark, dpi)
    notes = list(exif_notes)
    psnr = options.quality
    if psnr is None and is_same and source is not None and not source.info.lossless:
        psnr = DEFAULT_PSNR
    if deep and raster.space == "rgb":
        if psnr is not None:
            notes.append("16-bit colour is written reversible in JPEG 2000, without loss")
        written = _write_deep(raster)
    else:
        if psnr is not None:
            notes.append(f"written with the irreversible wavelet at {psnr} dB, which changes all pixels a little")
        written = _write(raster, psnr)
    if source is not None and is_same and jp2.is_raw(source.data):
        if exif is not None:
            notes.append("a bare JPEG 2000 codestream has no place for the mark or any metadata")
        start, end = jp2.codestream_span(written)
        return written[start:end], notes
    if metadata is not None:
        notes += left_behind(metadata, iptc=not metadata.iptc, comments=True) if not is_same else []
    return _assemble(written, raster, source if is_same else None, _uuid_boxes(source, exif)), notes


def _write(raster: Raster, psnr: int | None) -> bytes:
    settings: dict[str, Any] = {"irreversible": False}
    if psnr is not None:
        settings = {"irreversible": True, "quality_mode": "dB", "quality_layers": [psnr]}
    flat = raster.pixels[:, :, 0] if raster.pixels.shape[2] == 1 else raster.pixels
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(out, "JPEG2000", **settings)
    return out.getvalue()


def _write_deep(raster: Raster) -> bytes:
    # Pillow has no 16-bit colour; OpenCV has, in the order BGR(A), and rate 1000/1000 means reversible.
    order = [2, 1, 0, 3][: raster.pixels.shape[2]]
    _, data = cv2.imencode(".jp2", np.ascontiguousarray(raster.pixels[:, :, order]), _REVERSIBLE)
    return bytes(data)


def _uuid_boxes(source: Source | None, exif: bytes | None) -> list[bytes]:
    """Return the boxes that go behind the codestream: the source's own, with the EXIF block exchanged."""
    kept: list[bytes] = []
    if source is not None and source.info.format == "jp2":
        for part in boxes(source.data):
            identity = source.data[part.start : part.start + 16] if part.name == b"uuid" else b""
            if part.name in jp2.METADATA_BOXES and identity != jp2.EXIF_UUID:
                content = source.data[part.start : part.end]
                if source.resized and identity == jp2.XMP_UUID:
                    content = identity + xmp_resized(content[16:], source.resized)
                kept.append(box(part.name, content))
    elif source is not None:
        for identity, payload in ((jp2.XMP_UUID, source.metadata.xmp), (jp2.IPTC_UUID, source.metadata.iptc)):
            kept += [box(b"uuid", identity + payload)] if payload else []
    return kept + ([box(b"uuid", jp2.EXIF_UUID + exif)] if exif is not None else [])


def _assemble(written: bytes, raster: Raster, same: Source | None, behind: list[bytes]) -> bytes:
    """Exchange the colour and resolution boxes in the header and put metadata boxes behind the codestream."""
    out = []
    for part in boxes(written):
        if part.name == b"jp2h":
            out.append(box(b"jp2h", _header(written, part, raster, same)))
        else:
            # A codestream box may state length 0, "to the end of the file", which would swallow what follows.
            out.append(box(part.name, written[part.start : part.end]))
    return b"".join([*out, *behind])


def _header(written: bytes, header: Box, raster: Raster, same: Source | None) -> bytes:
    out = []
    for part in boxes(written, header.start, header.end):
        payload = written[part.start : part.end]
        if part.name == b"colr" and raster.icc:
            payload = b"\x02\x00\x00" + raster.icc
        if part.name != b"res ":
            out.append(box(part.name, payload))
    if same is not None:
        for outer in boxes(same.data):
            inner = boxes(same.data, outer.start, outer.end) if outer.name == b"jp2h" else []
            found = [same.data[part.start : part.end] for part in inner if part.name == b"res "]
            out += [box(b"res ", res_box_resized(one, same.resized) if same.resized else one) for one in found]
    return b"".join(out)
