"""JPEG files: marker segments and what they say (ITU-T T.81, JFIF, EXIF, ICC.1 annex B.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from operators.errors import OperatorError
from operators.images import exif as exif_tags
from operators.images.info import ImageInfo
from operators.images.raster import Space

EXIF_PREFIX = b"Exif\x00\x00"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED_XMP_PREFIX = b"http://ns.adobe.com/xmp/extension/\x00"
ICC_PREFIX = b"ICC_PROFILE\x00"
PHOTOSHOP_PREFIX = b"Photoshop 3.0\x00"
JFIF_PREFIX = b"JFIF\x00"
MPF_PREFIX = b"MPF\x00"

APP0, APP1, APP2, APP13, APP14, COM = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROCESSES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless"}
_BARE = frozenset([0x01, *range(0xD0, 0xD8)])
_SPACES: dict[int, Space] = {1: "gray", 3: "rgb", 4: "cmyk"}
_CM_PER_INCH = 2.54
_MAX_MARKERS = 100_000
_MAX_SCANS = 100  # encoders write about ten
_PROGRESSIVE = 0xC2
_FILL = re.compile(rb"\xff{2,}")  # any marker may be preceded by fill bytes (T.81, B.1.1.2)


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment before the image data: marker code 0x00..0xff, payload, and where that ends in its file."""

    marker: int
    payload: bytes
    end: int = 0


def segments(data: bytes) -> list[Segment]:
    """Return the segments up to and including the start of scan.

    Raises:
        OperatorError: `truncated` when the file ends before a scan starts, `corrupt` when markers are malformed.
    """
    found: list[Segment] = []
    at, steps = 2, 0
    while True:
        if fill := _FILL.match(data, at):
            at = fill.end() - 1
        if at + 4 > len(data):
            raise OperatorError("truncated", f"the JPEG file ends at byte {len(data)}, before its image data starts")
        if data[at] != 0xFF:
            raise OperatorError("corrupt", f"expected a JPEG marker at byte {at}, found {data[at : at + 2].hex()}")
        marker = data[at + 1]
        steps += 1
        if steps > _MAX_MARKERS:
            raise OperatorError("corrupt", f"the JPEG file has more than {_MAX_MARKERS} markers before its image data")
        if marker in _BARE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2:
            raise OperatorError("corrupt", f"the JPEG segment at byte {at} states a length of {length}")
        if end > len(data):
            raise OperatorError("truncated", f"the JPEG file ends at byte {len(data)}, inside the segment at {at}")
        found.append(Segment(marker, data[at + 4 : end], end))
        if marker == 0xDA:
            return found
        at = end


def payloads(found: list[Segment], marker: int, prefix: bytes) -> list[bytes]:
    """Return what follows `prefix` in the segments that carry it, in file order."""
    return [s.payload[len(prefix) :] for s in found if s.marker == marker and s.payload.startswith(prefix)]


def exif_of(found: list[Segment]) -> bytes | None:
    """Return the EXIF block without its prefix."""
    blocks = payloads(found, APP1, EXIF_PREFIX)
    return blocks[0] if blocks else None


def icc_of(found: list[Segment]) -> bytes | None:
    """Return the embedded profile, its numbered chunks joined; None when absent or incomplete."""
    chunks = sorted(payloads(found, APP2, ICC_PREFIX))
    if not chunks or any(len(c) < 2 for c in chunks):
        return None
    if [c[0] for c in chunks] != list(range(1, chunks[0][1] + 1)):
        return None
    return b"".join(c[2:] for c in chunks)


def probe(data: bytes) -> ImageInfo:
    """Read the header of a JPEG file.

    Raises:
        OperatorError: `truncated`, `corrupt` or `unsupported_colour`.
    """
    found = segments(data)
    frames = [s for s in found if s.marker in _SOF]
    if not frames or len(frames[0].payload) < 6:
        raise OperatorError("corrupt", "the JPEG file has no frame header before its image data")
    frame = frames[0].payload
    precision, components = frame[0], frame[5]
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if precision != 8:
        raise OperatorError("unsupported_colour", f"the JPEG has {precision} bits a sample; 8 are supported")
    if components not in _SPACES:
        raise OperatorError("unsupported_colour", f"the JPEG has {components} components; 1, 3 or 4 are supported")
    if frames[0].marker == _PROGRESSIVE:
        _check_scans(data, found[-1].end)
    exif = exif_of(found)
    notes = []
    if payloads(found, APP2, MPF_PREFIX):
        notes.append("further pictures of the multi-picture file (previews, depth maps) are ignored")
    return ImageInfo(
        format="jpeg",
        width=width,
        height=height,
        depth=8,
        space=_SPACES[components],
        alpha=False,
        orientation=exif_tags.orientation(exif),
        compression=f"jpeg {_PROCESSES.get(frames[0].marker, 'arithmetic or hierarchical')}",
        icc=icc_of(found) is not None,
        dpi=exif_tags.dpi(exif) or _jfif_dpi(found),
        notes=tuple(notes),
    )


def _check_scans(data: bytes, start: int) -> None:
    """Refuse a progressive file of absurdly many scans: each costs a walk over the whole picture, in a few bytes.

    Inside a scan 0xff is followed by zero or by a restart marker (T.81, B.1.1.5), so other markers can be counted.
    """
    end = data.find(b"\xff\xd9", start)
    scans = 1 + data.count(b"\xff\xda", start, end if end >= 0 else len(data))
    if scans > _MAX_SCANS:
        raise OperatorError(
            "corrupt", f"the progressive JPEG has {scans} scans; {_MAX_SCANS} are the most that make sense"
        )


def _jfif_dpi(found: list[Segment]) -> tuple[float, float] | None:
    headers = payloads(found, APP0, JFIF_PREFIX)
    if not headers or len(headers[0]) < 7 or headers[0][2] not in (1, 2):
        return None
    x, y = int.from_bytes(headers[0][3:5], "big"), int.from_bytes(headers[0][5:7], "big")
    scale = _CM_PER_INCH if headers[0][2] == 2 else 1.0
    return (x * scale, y * scale) if x and y else None
