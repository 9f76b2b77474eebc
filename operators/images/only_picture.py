"""A file with its one picture and no other: neither thumbnails nor previews nor further pages."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator

import tifftools

from operators.images.formats import jp2, jpeg, png, tiff
from operators.images.formats.boxes import box, boxes
from operators.images.formats.tiff_directory import read_directories
from operators.images.info import Format
from operators.images.previews import (
    directory_without_pictures,
    shows_picture,
    without_exif_pictures,
    without_iptc_pictures,
    without_photoshop_pictures,
    without_xmp_pictures,
)
from operators.images.sniff import sniff

_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS iCCP sRGB gAMA cHRM cICP mDCV cLLI mDCv cLLi pHYs sBIT bKGD tIME hIST".split()
)
_PNG_TEXTS = frozenset([b"tEXt", b"zTXt", b"iTXt"])
_EOI = 0xD9
_MARKER = re.compile(rb"\xff+[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
"""A marker of a JPEG that ends coded data, in which 0xff is followed by 0x00 or a restart's number (T.81, F.1.2.3)."""
_SPARE = 1024
"""Bytes by which a TIFF may be longer than its one page needs, as writers align; more may be what was cut loose."""
_LONGEST_TEXT = 4096
"""Bytes of a PNG's text; ImageMagick's `Raw profile type ...` hold whole EXIF blocks, and are left out whatever they
have."""
_MOST_INFLATED = 1 << 20
"""Bytes of a compressed text that are looked at; it is one of at most `_LONGEST_TEXT` bytes."""
_JP2_KEPT = frozenset([b"jP  ", b"ftyp", b"jp2h", b"jp2c"])


def only_picture(data: bytes) -> bytes:
    """Take everything out of a file that may show its picture, or another, a second time.

    What describes the picture in words and numbers stays, as does every coded pixel of the picture itself.

    Args:
        data: a whole file, JPEG, PNG, TIFF, WebP or JPEG 2000.

    Returns:
        The file; the same bytes where there is nothing to take out.

    Raises:
        OperatorError: as the format's probe.
    """
    cleaned = _CLEANERS[sniff(data)](data)
    return data if cleaned == data else cleaned


def _jpeg(data: bytes) -> bytes:
    found = jpeg.segments(data)
    blocks = [data[:2]]
    for segment in found:
        payload = _jpeg_payload(segment)
        if payload is not None:
            blocks.append(bytes([0xFF, segment.marker]) + (len(payload) + 2).to_bytes(2, "big") + payload)
    return b"".join([*blocks, *_jpeg_scans(data, found[-1].end)])


def _jpeg_scans(data: bytes, at: int) -> Iterator[bytes]:
    """Coded data and the segments between scans, up to the end of the picture; what lies behind that is left out.

    Args:
        data: the file.
        at: where the coded data of its first scan begins.
    """
    while (marker := _MARKER.search(data, at)) is not None:
        code, end = data[marker.end() - 1], marker.end()
        if code == _EOI:
            yield data[at:end]
            return
        length = int.from_bytes(data[end : end + 2], "big")
        if length >= 2:
            segment = jpeg.Segment(code, data[end + 2 : end + length], end + length)
            payload = _jpeg_payload(segment)
            yield data[at : marker.start()] if payload is None else data[at:end]
            if payload is not None:
                yield (len(payload) + 2).to_bytes(2, "big") + payload
            at = segment.end
        else:  # damaged; a decoder passes over it
            yield data[at:end]
            at = end
    yield data[at:]


def _jpeg_payload(segment: jpeg.Segment) -> bytes | None:
    """What stays of a segment's payload; None when nothing does."""
    marker, payload = segment.marker, segment.payload
    if marker == jpeg.APP0:
        # The thumbnail stands behind its own size (JFIF 1.02, page 5); JFXX, an extension, is nothing but one.
        return payload[:12] + b"\x00\x00" if payload.startswith(jpeg.JFIF_PREFIX) and len(payload) >= 14 else None
    if marker == jpeg.COM:
        return None if shows_picture(payload) else payload
    if not 0xE0 <= marker <= 0xEF:
        return payload
    prefixes: tuple[tuple[int, bytes, Callable[[bytes], bytes | None]], ...] = (
        (jpeg.APP1, jpeg.EXIF_PREFIX, without_exif_pictures),
        (jpeg.APP1, jpeg.XMP_PREFIX, without_xmp_pictures),
        (jpeg.APP13, jpeg.PHOTOSHOP_PREFIX, without_photoshop_pictures),
        (jpeg.APP2, jpeg.ICC_PREFIX, bytes),
        (jpeg.APP14, b"Adobe", bytes),
    )
    for kind, prefix, clean in prefixes:
        if marker == kind and payload.startswith(prefix):
            rest = clean(payload[len(prefix) :])
            return None if rest is None else prefix + rest
    return None


def _png(data: bytes) -> bytes:
    out = [png.SIGNATURE]
    for chunk in png.chunks(data):
        payload = data[chunk.start : chunk.start + chunk.length]
        kept: bytes | None = payload if chunk.name in _PNG_KEPT else None
        if chunk.name == b"eXIf":
            kept = without_exif_pictures(payload)
        elif chunk.name in _PNG_TEXTS:
            kept = _png_text(payload)
        if kept is not None:
            crc = zlib.crc32(chunk.name + kept)
            out.append(struct.pack(">I", len(kept)) + chunk.name + kept + struct.pack(">I", crc))
    return b"".join(out)


def _png_text(payload: bytes) -> bytes | None:
    plain = png.XMP_KEYWORD + bytes(5)
    if payload.startswith(plain):
        return plain + without_xmp_pictures(payload[len(plain) :])
    raw = payload.lower().startswith(b"raw profile") or payload.startswith(png.XMP_KEYWORD)
    return None if raw or len(payload) > _LONGEST_TEXT or shows_picture(payload + _inflated(payload)) else payload


def _inflated(payload: bytes) -> bytes:
    """The beginning of what a zTXt or a compressed iTXt chunk says; nothing where none of it is compressed."""
    for start in re.finditer(rb"x[\x01\x5e\x9c\xda]", payload):  # how zlib begins (RFC 1950), with a 32 KiB window
        try:
            return zlib.decompressobj().decompress(payload[start.start() :], _MOST_INFLATED)
        except zlib.error:  # noqa: PERF203 - a payload has one beginning, or a few that are none
            continue
    return b""


def _tiff(data: bytes) -> bytes:
    directories = read_directories(data)
    page = tiff.find_page(data).directory
    cleaned = directory_without_pictures(page, structure=True)
    out = io.BytesIO()
    tifftools.write_tiff([cleaned], out, bigEndian=page["bigEndian"], bigtiff=page["bigtiff"])
    same = len(directories) == 1 and cleaned["tags"] == page["tags"]
    return data if same and len(data) <= out.tell() + _SPARE else out.getvalue()


def _webp(data: bytes) -> bytes:
    kept, flags_at, flags, size = [], -1, 0, 0
    at, end = 12, min(8 + int.from_bytes(data[4:8], "little"), len(data))
    while at + 8 <= end:
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        payload: bytes | None = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        if name == b"EXIF":
            prefix = jpeg.EXIF_PREFIX if payload is not None and payload.startswith(jpeg.EXIF_PREFIX) else b""
            exif = without_exif_pictures((payload or b"")[len(prefix) :])
            payload, flags = (None, flags | 0x08) if exif is None else (prefix + exif, flags)
        elif name == b"XMP ":
            payload = without_xmp_pictures(payload or b"")
        elif name not in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"):
            payload = None
        if payload is None:
            continue
        if name == b"VP8X":
            flags_at = size + 8
        whole = name + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)
        kept.append(whole)
        size += len(whole)
    body = bytearray(b"".join(kept))
    if flags_at >= 0:
        body[flags_at] &= ~flags & 0xFF  # what is gone is not announced (RFC 9649, section 2.7)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + bytes(body)


def _jp2(data: bytes) -> bytes:
    if jp2.is_raw(data):
        return data
    out, streams, same = [], 0, True
    for part in boxes(data):
        whole = data[part.start : part.end]
        payload: bytes | None = whole
        if part.name == b"uuid":
            payload = _jp2_uuid(whole)
        elif part.name == b"xml ":
            payload = without_xmp_pictures(whole)
        elif part.name == b"jp2c":
            streams += 1
            payload = whole if streams == 1 else None
        elif part.name not in _JP2_KEPT:
            payload = None
        same = same and payload == whole
        if payload is not None:
            out.append(box(part.name, payload))
    return data if same else b"".join(out)


def _jp2_uuid(payload: bytes) -> bytes | None:
    identity, content = payload[:16], payload[16:]
    if identity == jp2.EXIF_UUID:
        prefix = jpeg.EXIF_PREFIX if content.startswith(jpeg.EXIF_PREFIX) else b""
        exif = without_exif_pictures(content[len(prefix) :])
        return None if exif is None else identity + prefix + exif
    if identity == jp2.XMP_UUID:
        return identity + without_xmp_pictures(content)
    return identity + without_iptc_pictures(content) if identity == jp2.IPTC_UUID else None


def _unknown(data: bytes) -> bytes:
    return data


_CLEANERS: dict[Format, Callable[[bytes], bytes]] = {
    "jpeg": _jpeg,
    "png": _png,
    "tiff": _tiff,
    "webp": _webp,
    "jp2": _jp2,
    "heif": _unknown,
}
