"""JPEG 2000 files: boxes and codestream headers (ITU-T T.800 annexes A and I).

The decoders' own reaction to a damaged file varies by version, so completeness is checked here: every box and every
tile-part must fit into the file and the codestream must close with its end marker. JPEG 2000 has no checksums; damage
inside a tile's data that leaves lengths intact cannot be seen.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from operators.errors import OperatorError
from operators.images import exif as exif_tags
from operators.images.formats.boxes import Box, boxes
from operators.images.formats.jp2_parts import check_parts
from operators.images.info import ImageInfo
from operators.images.raster import Space

EXIF_UUID = b"JpgTiffExif->JP2"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
METADATA_BOXES = frozenset({b"uuid", b"xml ", b"uinf"})

_SOC, _SIZ, _COD, _COC, _SOT, _EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFFD9
_MAX_PARTS = 1_000_000
_ENUMERATED: dict[int, Space] = {12: "cmyk", 16: "rgb", 17: "gray"}


@dataclass(frozen=True)
class Codestream:
    """Facts of the codestream header.

    Attributes:
        width: columns.
        height: rows.
        depths: bits of each component.
        signed: whether any component is signed.
        subsampled: whether any component has fewer samples than the grid.
        reversible: whether the wavelet is the lossless 5/3.
        levels: wavelet decompositions, the most times the image can be halved while decoding.
    """

    width: int
    height: int
    depths: tuple[int, ...]
    signed: bool
    subsampled: bool
    reversible: bool
    levels: int


def is_raw(data: bytes) -> bool:
    """Whether the file is a bare codestream without boxes."""
    return data[:4] == b"\xff\x4f\xff\x51"


def codestream_span(data: bytes) -> tuple[int, int]:
    """Return where the codestream starts and ends.

    Raises:
        OperatorError: `truncated` or `corrupt`.
    """
    if is_raw(data):
        return 0, len(data)
    for box in boxes(data):
        if box.name == b"jp2c":
            return box.start, box.end
    raise OperatorError("truncated", f"the JPEG 2000 file ends at byte {len(data)}, before its codestream")


def read_codestream(data: bytes, span: tuple[int, int]) -> Codestream:
    """Read the main header and walk all tile-parts to the end marker.

    Raises:
        OperatorError: `truncated` or `corrupt`.
    """
    at, end = span
    if end - at < 4 or _word(data, at) != _SOC or _word(data, at + 2) != _SIZ:
        raise OperatorError("corrupt", "the JPEG 2000 codestream does not start with its size")
    at += 2
    size: bytes = b""
    style: bytes = b""
    styles: list[bytes] = []
    while at + 4 <= end and _word(data, at) != _SOT:
        marker, length = _word(data, at), _word(data, at + 2)
        if length < 2:
            raise OperatorError("corrupt", f"the JPEG 2000 marker segment at byte {at} states a length of {length}")
        if marker == _SIZ:
            size = data[at + 4 : at + 2 + length]
        elif marker == _COD:
            style = data[at + 4 : at + 2 + length]
            styles.append(style[:1] + style[5:])
        elif marker == _COC:
            components = 2 if int.from_bytes(size[34:36], "big") > 256 else 1
            styles.append(data[at + 4 + components : at + 2 + length])
        at += 2 + length
    _walk_tile_parts(data, at, end)
    if len(size) < 36 or len(style) < 10:
        raise OperatorError("corrupt", "the JPEG 2000 main header lacks its size or its coding style")
    x1, y1, x0, y0 = struct.unpack(">4I", size[2:18])
    count = int.from_bytes(size[34:36], "big")
    parts = [size[36 + 3 * i : 39 + 3 * i] for i in range(count)]
    if any(len(part) != 3 for part in parts):
        raise OperatorError("corrupt", "the JPEG 2000 size segment is cut short")
    check_parts(size, styles, count)
    return Codestream(
        width=x1 - x0,
        height=y1 - y0,
        depths=tuple((part[0] & 0x7F) + 1 for part in parts),
        signed=any(part[0] & 0x80 for part in parts),
        subsampled=any(part[1:] != b"\x01\x01" for part in parts),
        reversible=style[9] == 1,
        levels=style[5],
    )


def icc_of(data: bytes) -> bytes | None:
    """Return the embedded profile, None when absent."""
    for colour in _colour_boxes(data):
        if colour[:1] == b"\x02":
            return colour[3:]
    return None


def uuid_of(data: bytes, identity: bytes) -> bytes | None:
    """Return the payload of the first UUID box with that identity, None when absent."""
    for box in [] if is_raw(data) else boxes(data):
        if box.name == b"uuid" and data[box.start : box.start + 16] == identity:
            return data[box.start + 16 : box.end]
    return None


def exif_of(data: bytes) -> bytes | None:
    """Return the EXIF block of the UUID box that exiftool and others use, None when absent."""
    block = uuid_of(data, EXIF_UUID)
    return block[6:] if block and block.startswith(b"Exif\x00\x00") else block


def probe(data: bytes) -> ImageInfo:
    """Read the headers of a JPEG 2000 file.

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_colour`.
    """
    stream = read_codestream(data, codestream_span(data))
    depths, bands = set(stream.depths), len(stream.depths)
    if depths not in ({8}, {16}) or stream.signed:
        found = f"{'signed ' if stream.signed else ''}{sorted(depths)} bits"
        raise OperatorError(
            "unsupported_colour", f"the JPEG 2000 samples have {found}; 8 and 16, unsigned, are supported"
        )
    if stream.subsampled:
        raise OperatorError("unsupported_colour", "the JPEG 2000 file has subsampled components; convert it first")
    if not 1 <= bands <= 4:
        raise OperatorError("unsupported_colour", f"the JPEG 2000 file has {bands} components; 1 to 4 are supported")
    depth = depths.pop()
    space: Space = "gray" if bands <= 2 else "rgb"
    _check_colour(data, space, bands)
    if depth == 16 and bands == 2:
        raise OperatorError("unsupported_colour", "16-bit gray with alpha in JPEG 2000 cannot be read; use TIFF or PNG")
    exif = exif_of(data)
    return ImageInfo(
        format="jp2",
        width=stream.width,
        height=stream.height,
        depth=depth,
        space=space,
        alpha=bands in (2, 4),
        orientation=exif_tags.orientation(exif),
        compression="reversible" if stream.reversible else "irreversible",
        lossless=stream.reversible,
        icc=icc_of(data) is not None,
        dpi=_dpi(data) or exif_tags.dpi(exif),
    )


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _walk_tile_parts(data: bytes, at: int, end: int) -> None:
    steps = 0
    while at + 12 <= end and _word(data, at) == _SOT:
        steps += 1
        if steps > _MAX_PARTS:
            raise OperatorError("corrupt", f"the JPEG 2000 file has more than {_MAX_PARTS} tile-parts")
        length = int.from_bytes(data[at + 6 : at + 10], "big")
        at = end - 2 if length == 0 else at + length
        if length and length < 14:
            raise OperatorError("corrupt", f"a JPEG 2000 tile-part states a length of {length}")
    if at + 2 > end or _word(data, at) != _EOC:
        raise OperatorError(
            "truncated", f"the JPEG 2000 codestream ends at byte {end} without its end marker; fetch the file again"
        )


def _header_boxes(data: bytes) -> list[Box]:
    if is_raw(data):
        return []
    return [inner for box in boxes(data) if box.name == b"jp2h" for inner in boxes(data, box.start, box.end)]


def _colour_boxes(data: bytes) -> list[bytes]:
    return [data[box.start : box.end] for box in _header_boxes(data) if box.name == b"colr"]


def _check_colour(data: bytes, space: Space, bands: int) -> None:
    if any(box.name == b"pclr" for box in _header_boxes(data)):
        raise OperatorError("unsupported_colour", "the JPEG 2000 file uses a palette; convert it to RGB first")
    for colour in _colour_boxes(data):
        if colour[:1] == b"\x01" and len(colour) >= 7:
            code = int.from_bytes(colour[3:7], "big")
            if _ENUMERATED.get(code) != space:
                raise OperatorError(
                    "unsupported_colour",
                    f"the JPEG 2000 file states colour space {code} for {bands} components; "
                    "gray (17) and sRGB (16) are supported",
                )
        if colour[:1] == b"\x02" and colour[19:23] == b"CMYK":
            raise OperatorError("unsupported_colour", "the JPEG 2000 file holds CMYK; convert it to TIFF first")


def _dpi(data: bytes) -> tuple[float, float] | None:
    for box in _header_boxes(data):
        if box.name != b"res ":
            continue
        for inner in boxes(data, box.start, box.end):
            if inner.end - inner.start == 10:
                y1, y2, x1, x2, y_exponent, x_exponent = struct.unpack(">4H2b", data[inner.start : inner.end])
                if x2 and y2 and x1 and y1:
                    return x1 / x2 * 10.0**x_exponent * 0.0254, y1 / y2 * 10.0**y_exponent * 0.0254
    return None
