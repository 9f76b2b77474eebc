"""Write PNG with the source's descriptive chunks."""

from __future__ import annotations

import struct
import zlib

from operators.images.encoders.contract import EncodeOptions, Source, left_behind, unsupported
from operators.images.formats import png
from operators.images.libvips import from_array
from operators.images.metadata import marked_exif
from operators.images.raster import Raster
from operators.images.resized import Resized, phys_resized, xmp_resized

# Chunks that stay true when pixels change though their names do not say so (the fourth letter would be small).
_CARRIED = frozenset([b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"cLLi"])
_METRES_PER_INCH = 0.0254
_LEVEL = 6


def encode_png(raster: Raster, source: Source | None, options: EncodeOptions) -> tuple[bytes, list[str]]:
    """Write a gray or RGB raster of either depth, with or without alpha, as PNG.

    Returns:
        The file and notes.

    Raises:
        OperatorError: `unsupported_target` for CMYK.
    """
    if raster.space == "cmyk":
        raise unsupported("PNG", "CMYK", "TIFF or JPEG")
    written = from_array(raster.pixels, raster.space).pngsave_buffer(compression=_LEVEL, filter="all", keep="none")
    exif, exif_notes = marked_exif(source.metadata.exif if source else None, raster.orientation, options.mark)
    notes = list(exif_notes)
    if source is not None and source.info.format == "png":
        carried = _chunks_of_source(source, notes)
    else:
        carried = _chunks_of_metadata(raster, source, notes)
    if exif is not None:
        carried.append((b"eXIf", exif))
    return _assemble(written, carried), notes


def _chunks_of_source(source: Source, notes: list[str]) -> list[tuple[bytes, bytes]]:
    expanded = bool(source.info.notes)
    carried = []
    lost = []
    for chunk in png.chunks(source.data):
        critical, safe = chunk.name[:1].isupper(), chunk.name[3:4].islower()
        if critical or chunk.name in (b"eXIf", b"tRNS"):
            continue
        keeps_values = chunk.name in (b"bKGD", b"sBIT") and not expanded and not source.widened
        if source.widened and chunk.name == b"iCCP":
            continue
        if chunk.name in _CARRIED or safe or keeps_values:
            payload = source.data[chunk.start : chunk.start + chunk.length]
            carried.append((chunk.name, _resized(chunk.name, payload, source.resized) if source.resized else payload))
        else:
            lost.append(chunk.name.decode("ascii", "replace"))
    if lost:
        notes.append(f"not carried: PNG chunks that the change of pixels makes untrue ({', '.join(lost)})")
    return carried


def _resized(name: bytes, payload: bytes, change: Resized) -> bytes:
    """Return a chunk's payload with sizes and resolution of the raster."""
    if name == b"pHYs":
        return phys_resized(payload, change)
    head = png.XMP_KEYWORD + bytes(5)
    if name == b"iTXt" and payload.startswith(head):  # not compressed, neither language nor translated keyword
        return head + xmp_resized(payload[len(head) :], change)
    return payload


def _chunks_of_metadata(raster: Raster, source: Source | None, notes: list[str]) -> list[tuple[bytes, bytes]]:
    carried = []
    if raster.icc:
        carried.append((b"iCCP", b"ICC profile\x00\x00" + zlib.compress(raster.icc, 9)))
    if source is None:
        return carried
    metadata = source.metadata
    if metadata.dpi:
        x, y = (round(value / _METRES_PER_INCH) for value in metadata.dpi)
        carried.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
    if metadata.xmp:
        carried.append((b"iTXt", png.XMP_KEYWORD + bytes(5) + metadata.xmp))
    # tEXt is Latin-1 and must not hold a null byte (PNG 11.3.3.2).
    carried += [(b"tEXt", b"Comment\x00" + comment.replace(b"\x00", b"")) for comment in metadata.comments]
    notes += left_behind(metadata, iptc=True)
    return carried


def _assemble(written: bytes, carried: list[tuple[bytes, bytes]]) -> bytes:
    """Put chunks between the header and the image data of a PNG file."""
    blocks = [png.SIGNATURE]
    for chunk in png.chunks(written):
        if chunk.name == b"IHDR":
            blocks.append(_chunk(b"IHDR", written[chunk.start : chunk.start + chunk.length]))
            blocks += [_chunk(name, payload) for name, payload in carried]
        elif chunk.name in (b"IDAT", b"IEND"):
            blocks.append(written[chunk.start - 8 : chunk.start + chunk.length + 4])
    return b"".join(blocks)


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))
