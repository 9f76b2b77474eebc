"""What a file says of its picture's size, made true for a larger or smaller copy of the picture.

A copy shows the same thing on the same sheet of paper: its resolution grows with its number of pixels, so that both
together still give the size of the original in centimetres. Places that say both are those that common readers ask:
EXIF (PixelXDimension, XResolution and their like), JFIF, PNG's pHYs, TIFF's and JPEG 2000's own resolution, Photoshop's
image resources and the same values in XMP. Other numbers that a camera gives in pixels stay as they are.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from operators.images.exif import RESOLUTION_UNIT, X_RESOLUTION, Y_RESOLUTION
from operators.images.formats.boxes import box, boxes
from operators.images.formats.tiff_exif import EXIF_DIRECTORY
from operators.images.metadata import Metadata

_SHORT, _LONG, _RATIONAL = 3, 4, 5
_WIDTHS, _HEIGHTS = (0x0100, 0xA002, 0x1001), (0x0101, 0xA003, 0x1002)
_INTEROPERABILITY = 0xA005
_MOST_ENTRIES = 4096
_RESOLUTION_INFO = 0x03ED
_XMP, _PHOTOSHOP = 700, 34377

_XMP_SIZES = (rb"tiff:ImageWidth|exif:PixelXDimension", rb"tiff:ImageLength|exif:PixelYDimension")
_XMP_RESOLUTIONS = (rb"tiff:XResolution", rb"tiff:YResolution")
_OF_ATTRIBUTE_OR_ELEMENT = rb"(?:\s*=\s*[\"']|\s*>)\s*)"


@dataclass(frozen=True)
class Resized:
    """How a picture's size has changed.

    Attributes:
        old: width and height in pixels.
        new: likewise.
    """

    old: tuple[int, int]
    new: tuple[int, int]

    @property
    def scales(self) -> tuple[Fraction, Fraction]:
        """New pixels for an old one, across and down."""
        return Fraction(self.new[0], self.old[0]), Fraction(self.new[1], self.old[1])


def metadata_resized(metadata: Metadata, change: Resized) -> Metadata:
    """The same metadata of the resized picture."""
    across, down = change.scales
    dpi = metadata.dpi
    return replace(
        metadata,
        exif=exif_resized(metadata.exif, change) if metadata.exif else metadata.exif,
        xmp=xmp_resized(metadata.xmp, change) if metadata.xmp else metadata.xmp,
        photoshop=photoshop_resized(metadata.photoshop, change) if metadata.photoshop else metadata.photoshop,
        dpi=(dpi[0] * float(across), dpi[1] * float(down)) if dpi else None,
    )


def exif_resized(exif: bytes, change: Resized) -> bytes:
    """An EXIF block with sizes and resolution of the resized picture; nothing in it moves.

    The directory of the thumbnail is not looked at: the thumbnail keeps its size.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return exif
    out = bytearray(exif)
    first = struct.unpack_from(order + "I", exif, 4)[0]
    entries = {tag: (kind, count, at) for tag, kind, count, at in _entries(exif, order, first)}
    _scale_resolution(out, exif, order, entries, change)
    directories = [entries]
    for pointer in (EXIF_DIRECTORY, _INTEROPERABILITY):
        kind, count, at = directories[-1].get(pointer, (0, 0, 0))
        if (kind, count) != (_LONG, 1):
            break
        start = struct.unpack_from(order + "I", exif, at + 8)[0]
        directories.append({tag: (kind, count, at) for tag, kind, count, at in _entries(exif, order, start)})
    for directory in directories:
        for tags, value in ((_WIDTHS, change.new[0]), (_HEIGHTS, change.new[1])):
            for tag in tags:
                _state_size(out, order, directory.get(tag), value)
    return bytes(out)


def tiff_tags_resized(tags: Mapping[int, dict[str, Any]], change: Resized) -> dict[int, dict[str, Any]]:
    """Descriptive tags of a TIFF page, as tifftools has them, for the resized picture."""
    out = deepcopy(dict(tags))
    if out.get(RESOLUTION_UNIT, {}).get("data") != [1]:
        for tag, scale in zip((X_RESOLUTION, Y_RESOLUTION), change.scales, strict=True):
            data = out.get(tag, {}).get("data")
            if isinstance(data, list) and len(data) >= 2 and data[1]:
                out[tag]["data"] = list(_rational(Fraction(data[0], data[1]) * scale, 2**32 - 1))
    for chain in out.get(EXIF_DIRECTORY, {}).get("ifds", []):
        for inner in chain:
            for found, value in ((_WIDTHS, change.new[0]), (_HEIGHTS, change.new[1])):
                for tag in set(found) & set(inner["tags"]):
                    inner["tags"][tag] = {"datatype": _LONG, "data": [value]}
    for tag, correct in ((_XMP, xmp_resized), (_PHOTOSHOP, photoshop_resized)):
        data = out.get(tag, {}).get("data")
        if isinstance(data, (bytes, list)):  # a short value of the type BYTE is read as numbers
            out[tag]["data"] = correct(bytes(data), change)
    return out


def jfif_resized(payload: bytes, change: Resized) -> bytes:
    """A JFIF segment's payload with the resolution of the resized picture (JFIF 1.02, page 5)."""
    if not payload.startswith(b"JFIF\x00") or len(payload) < 12 or payload[7] not in (1, 2):
        return payload
    densities = struct.unpack_from(">HH", payload, 8)
    scaled = [min(round(value * scale), 65535) for value, scale in zip(densities, change.scales, strict=True)]
    return payload[:8] + struct.pack(">HH", *scaled) + payload[12:]


def phys_resized(payload: bytes, change: Resized) -> bytes:
    """The payload of PNG's chunk pHYs for the resized picture (PNG 11.3.4.3)."""
    if len(payload) != 9 or payload[8] != 1:
        return payload
    densities = struct.unpack_from(">II", payload)
    scaled = [min(round(value * scale), 2**31 - 1) for value, scale in zip(densities, change.scales, strict=True)]
    return struct.pack(">II", *scaled) + payload[8:]


def res_box_resized(payload: bytes, change: Resized) -> bytes:
    """The content of JPEG 2000's resolution box for the resized picture (T.800, I.5.3.7)."""
    across, down = change.scales
    out = []
    for part in boxes(payload):
        inner = payload[part.start : part.end]
        if part.name in (b"resc", b"resd") and len(inner) == 10:
            y1, y2, x1, x2, y_power, x_power = struct.unpack(">4H2b", inner)
            if x1 and x2 and y1 and y2:
                y = _with_exponent(Fraction(y1, y2) * down, y_power)
                x = _with_exponent(Fraction(x1, x2) * across, x_power)
                inner = struct.pack(">4H2b", *y[:2], *x[:2], y[2], x[2])
        out.append(box(part.name, inner))
    return b"".join(out)


def photoshop_resized(resources: bytes, change: Resized) -> bytes:
    """Photoshop's image resources with the resolution of the resized picture (ResolutionInfo, 16.16 fixed point)."""
    out = bytearray(resources)
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        size_at = at + 6 + (resources[at + 6] + 2) // 2 * 2
        start = size_at + 4
        size = int.from_bytes(resources[size_at:start], "big")
        if int.from_bytes(resources[at + 4 : at + 6], "big") == _RESOLUTION_INFO and start + 16 <= len(resources):
            for offset, scale in zip((start, start + 8), change.scales, strict=True):
                value = round(struct.unpack_from(">I", resources, offset)[0] * scale)
                struct.pack_into(">I", out, offset, min(value, 2**32 - 1))
        at = start + size + size % 2
    return bytes(out)


def xmp_resized(packet: bytes, change: Resized) -> bytes:
    """An XMP packet, if it is UTF-8, with sizes and resolution of the resized picture."""
    for names, value in zip(_XMP_SIZES, change.new, strict=True):
        pattern = rb"(\b(?:" + names + rb")" + _OF_ATTRIBUTE_OR_ELEMENT + rb"\d+"

        def stated(found: re.Match[bytes], value: int = value) -> bytes:
            return found[1] + str(value).encode()

        packet = re.sub(pattern, stated, packet)
    for names, scale in zip(_XMP_RESOLUTIONS, change.scales, strict=True):
        pattern = rb"(\b(?:" + names + rb")" + _OF_ATTRIBUTE_OR_ELEMENT + rb"(\d{1,10})/(\d{1,10})"

        def scaled(found: re.Match[bytes], scale: Fraction = scale) -> bytes:
            if not int(found[3]):
                return found[0]
            above, below = _rational(Fraction(int(found[2]), int(found[3])) * scale, 2**32 - 1)
            return found[1] + f"{above}/{below}".encode()

        packet = re.sub(pattern, scaled, packet)
    return packet


def _entries(exif: bytes, order: str, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count and place of each entry of a directory; none where it does not fit into the block."""
    if start < 8 or start + 2 > len(exif):
        return
    count = struct.unpack_from(order + "H", exif, start)[0]
    if count > _MOST_ENTRIES or start + 2 + 12 * count > len(exif):
        return
    for at in range(start + 2, start + 2 + 12 * count, 12):
        yield (*struct.unpack_from(order + "HHI", exif, at), at)


def _scale_resolution(
    out: bytearray, exif: bytes, order: str, entries: Mapping[int, tuple[int, int, int]], change: Resized
) -> None:
    unit = entries.get(RESOLUTION_UNIT)
    if unit is not None and struct.unpack_from(order + "H", exif, unit[2] + 8)[0] == 1:
        return  # only the pixels' shape is stated
    for tag, scale in zip((X_RESOLUTION, Y_RESOLUTION), change.scales, strict=True):
        kind, count, at = entries.get(tag, (0, 0, 0))
        if (kind, count) != (_RATIONAL, 1):
            continue
        # Both tags may point to one place, so what is scaled is read from the block as it was.
        place = struct.unpack_from(order + "I", exif, at + 8)[0]
        if place + 8 <= len(exif):
            above, below = struct.unpack_from(order + "II", exif, place)
            if below:
                struct.pack_into(order + "II", out, place, *_rational(Fraction(above, below) * scale, 2**32 - 1))


def _state_size(out: bytearray, order: str, entry: tuple[int, int, int] | None, value: int) -> None:
    """Put a size where an entry has one; what is too large for a SHORT becomes a LONG, which takes the same room."""
    if entry is None or entry[0] not in (_SHORT, _LONG) or entry[1] != 1:
        return
    if entry[0] == _SHORT and value <= 65535:
        struct.pack_into(order + "HH", out, entry[2] + 8, value, 0)
        return
    struct.pack_into(order + "H", out, entry[2] + 2, _LONG)
    struct.pack_into(order + "I", out, entry[2] + 8, value)


def _rational(value: Fraction, most: int) -> tuple[int, int]:
    """The nearest ratio of two numbers that are no larger than `most`."""
    if value >= most:
        return most, 1
    room = most if value <= 1 else int(most / value)
    near = value.limit_denominator(max(1, min(room, most)))
    return near.numerator, near.denominator


def _with_exponent(value: Fraction, power: int) -> tuple[int, int, int]:
    """A ratio of two 16-bit numbers and the power of ten that goes with it."""
    while value >= 6554 and power < 127:
        value, power = value / 10, power + 1
    above, below = _rational(value, 65535)
    return max(above, 1), below, power
