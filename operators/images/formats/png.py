"""PNG files: chunks and what they say (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from operators.errors import OperatorError
from operators.images import exif as exif_tags
from operators.images.info import ImageInfo
from operators.images.raster import Space

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
_MAX_PROFILE = 64 * 1024 * 1024
_MAX_TEXT = 64 * 1024 * 1024
_MAX_CHUNKS = 500_000  # libpng writes image data in chunks of 8 KiB
_SLICE = 65_536
_METRES_PER_INCH = 0.0254
_TYPES: dict[int, tuple[Space, bool]] = {
    0: ("gray", False),
    2: ("rgb", False),
    3: ("rgb", False),
    4: ("gray", True),
    6: ("rgb", True),
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four-letter name and where its payload lies in the file."""

    name: bytes
    start: int
    length: int


def chunks(data: bytes) -> list[Chunk]:
    """Return all chunks in file order.

    Raises:
        OperatorError: `truncated` when the file ends before the end chunk, `corrupt` when it has absurdly many.
    """
    found: list[Chunk] = []
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if len(found) == _MAX_CHUNKS:
            raise OperatorError("corrupt", f"the PNG file has more than {_MAX_CHUNKS} chunks")
        found.append(Chunk(name, at + 8, length))
        at += 12 + length
        if name == b"IEND" and at <= len(data):
            return found
    raise OperatorError("truncated", f"the PNG file ends at byte {len(data)}, before its end chunk")


def payload(data: bytes, found: list[Chunk], name: bytes) -> bytes | None:
    """Return the payload of the first chunk of that name, None when absent."""
    for chunk in found:
        if chunk.name == name:
            return data[chunk.start : chunk.start + chunk.length]
    return None


def icc_of(data: bytes, found: list[Chunk]) -> bytes | None:
    """Return the embedded profile, None when absent or unreadable."""
    raw = payload(data, found, b"iCCP")
    if raw is None:
        return None
    try:
        return zlib.decompressobj().decompress(raw[raw.index(b"\x00") + 2 :], _MAX_PROFILE)
    except (ValueError, zlib.error):
        return None


def xmp_of(data: bytes, found: list[Chunk]) -> bytes | None:
    """Return the XMP packet of an uncompressed iTXt chunk, None when absent."""
    for chunk in found:
        raw = data[chunk.start : chunk.start + chunk.length] if chunk.name == b"iTXt" else b""
        if raw.startswith(XMP_KEYWORD + b"\x00\x00"):
            return raw[len(XMP_KEYWORD) + 3 :].split(b"\x00", 2)[-1]
    return None


def probe(data: bytes) -> ImageInfo:
    """Read the header and the chunk list of a PNG file.

    Raises:
        OperatorError: `truncated`, `corrupt`, `multi_page` or `unsupported_colour`.
    """
    found = chunks(data)
    header = payload(data, found, b"IHDR")
    if header is None or found[0].name != b"IHDR" or len(header) != 13:
        raise OperatorError("corrupt", "the PNG file does not start with a header chunk")
    width, height, bits, kind = struct.unpack(">IIBB", header[:10])
    if kind not in _TYPES:
        raise OperatorError("corrupt", f"the PNG file states colour type {kind}, which does not exist")
    names = {chunk.name for chunk in found}
    if b"acTL" in names:
        raise OperatorError("multi_page", "this is an animated PNG; split it into single images first")
    if bits == 1 and kind == 0:
        raise OperatorError("unsupported_colour", "the PNG is 1-bit black and white; convert it to 8-bit gray first")
    _check_texts(data, found)
    space, alpha = _TYPES[kind]
    notes = []
    if kind == 3:
        notes.append("palette expanded: the derivative is RGB")
    elif bits < 8:
        notes.append(f"{bits}-bit gray expanded to 8 bits")
    if b"tRNS" in names:
        alpha = True
        notes.append("transparent colours expanded to an alpha band")
    exif = payload(data, found, b"eXIf")
    return ImageInfo(
        format="png",
        width=width,
        height=height,
        depth=16 if bits == 16 else 8,
        space=space,
        alpha=alpha,
        orientation=exif_tags.orientation(exif),
        compression="deflate",
        lossless=True,
        icc=b"iCCP" in names,
        dpi=_dpi(payload(data, found, b"pHYs")),
        notes=tuple(notes),
    )


def _check_texts(data: bytes, found: list[Chunk]) -> None:
    """Refuse compressed text and profiles that inflate to absurd lengths: decoders inflate them all."""
    left = _MAX_TEXT
    for chunk in found:
        if chunk.name in (b"iCCP", b"zTXt", b"iTXt"):
            left -= _inflated(data[chunk.start : chunk.start + chunk.length], chunk.name, left)
        if left < 0:
            raise OperatorError(
                "corrupt", f"the PNG's text and profile inflate to more than {_MAX_TEXT // 2**20} MiB; strip them first"
            )


def _inflated(payload: bytes, name: bytes, most: int) -> int:
    """The length of a chunk's compressed part, found out up to a little more than `most`; 0 where there is none."""
    start = payload.find(b"\0") + 2
    if name == b"iTXt":  # keyword, flag and method, then language and translated keyword (PNG, section 11.3.3.4)
        if payload[start - 1 : start] != b"\1":
            return 0
        start = payload.find(b"\0", payload.find(b"\0", start + 1) + 1) + 1
    stream = zlib.decompressobj()
    length, rest = 0, payload[start:]
    try:
        while rest and not stream.eof and length <= most:
            length += len(stream.decompress(rest, _SLICE))
            rest = stream.unconsumed_tail
    except zlib.error:
        return length
    return length


def _dpi(raw: bytes | None) -> tuple[float, float] | None:
    if raw is None or len(raw) != 9 or raw[8] != 1:
        return None
    x, y = struct.unpack(">II", raw[:8])
    return (x * _METRES_PER_INCH, y * _METRES_PER_INCH) if x and y else None
