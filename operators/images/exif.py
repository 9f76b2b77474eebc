"""EXIF blocks: read a few tags, add or replace tags without moving what is there.

An EXIF block is a small TIFF stream (CIPA DC-008, TIFF 6.0). Maker notes inside it hold offsets that count from the
start of the block, so a rewrite breaks them. `with_tags` therefore leaves every byte where it is and appends a
new first directory; only the header's pointer to it changes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

ORIENTATION = 0x0112
PROCESSING_SOFTWARE = 0x000B
X_RESOLUTION = 0x011A
Y_RESOLUTION = 0x011B
RESOLUTION_UNIT = 0x0128

_ASCII, _SHORT, _RATIONAL = 2, 3, 5
_CM_PER_INCH = 2.54
_EMPTY = b"II*\x00\x08\x00\x00\x00" + bytes(6)


@dataclass(frozen=True)
class _Directory:
    order: str
    entries: tuple[tuple[int, int, int, bytes], ...]  # tag, type, count, the 4 value bytes
    following: bytes


def _read(exif: bytes) -> _Directory | None:
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])
    if order is None or len(exif) < 14:
        return None
    start = struct.unpack_from(order + "I", exif, 4)[0]
    if start + 2 > len(exif):
        return None
    count = struct.unpack_from(order + "H", exif, start)[0]
    end = start + 2 + 12 * count
    if end > len(exif):
        return None
    entries = tuple(
        (*struct.unpack_from(order + "HHI", exif, at), exif[at + 8 : at + 12]) for at in range(start + 2, end, 12)
    )
    return _Directory(order, entries, exif[end : end + 4].ljust(4, b"\x00"))


def is_readable(exif: bytes) -> bool:
    """Whether the block's first directory can be read."""
    return _read(exif) is not None


def orientation(exif: bytes | None) -> int:
    """Return the orientation 1..8 that a block states, 1 when it states none or nonsense."""
    value = _short(exif, ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def dpi(exif: bytes | None) -> tuple[float, float] | None:
    """Return the resolution in pixels per inch, None when absent or unitless."""
    unit = _short(exif, RESOLUTION_UNIT)
    x, y = _rational(exif, X_RESOLUTION), _rational(exif, Y_RESOLUTION)
    if unit not in (2, 3) or not x or not y:
        return None
    scale = _CM_PER_INCH if unit == 3 else 1.0
    return x * scale, y * scale


def text(exif: bytes | None, tag: int) -> str | None:
    """Return an ASCII tag of the first directory, None when absent."""
    directory = _read(exif) if exif else None
    for found, kind, count, value in directory.entries if directory else ():
        if found == tag and kind == _ASCII and exif is not None and directory is not None:
            raw = value[:count] if count <= 4 else _at(exif, directory.order, value, count)
            return raw.split(b"\x00")[0].decode("utf-8", "replace")
    return None


Value = int | str | tuple[int, int]


def with_tags(exif: bytes | None, tags: Mapping[int, Value]) -> bytes:
    """Return the block with tags of its first directory added or replaced.

    Args:
        exif: a TIFF stream without the Exif prefix, or None for a new one.
        tags: tag to value; an int becomes a SHORT, a pair of ints a RATIONAL, a str becomes ASCII (characters outside
            ASCII become `?`).

    Raises:
        ValueError: when the block's first directory cannot be read.
    """
    block = exif or _EMPTY
    directory = _read(block)
    if directory is None:
        raise ValueError("the EXIF block's first directory cannot be read")
    order = directory.order
    out = bytearray(block)
    if len(out) % 2:
        out.append(0)
    entries = {entry[0]: entry for entry in directory.entries}
    for tag, value in tags.items():
        if isinstance(value, int):
            entries[tag] = (tag, _SHORT, 1, struct.pack(order + "HH", value, 0))
            continue
        if isinstance(value, tuple):
            kind, count, raw = _RATIONAL, 1, struct.pack(order + "II", *value)
        else:
            raw = value.encode("ascii", "replace") + b"\x00"
            kind, count = _ASCII, len(raw)
        pointer = raw.ljust(4, b"\x00") if len(raw) <= 4 else struct.pack(order + "I", len(out))
        if len(raw) > 4:
            out += raw + bytes(len(raw) % 2)
        entries[tag] = (tag, kind, count, pointer)
    start = len(out)
    out += struct.pack(order + "H", len(entries))
    for tag in sorted(entries):
        _, kind, count, value_bytes = entries[tag]
        out += struct.pack(order + "HHI", tag, kind, count) + value_bytes
    out += directory.following
    struct.pack_into(order + "I", out, 4, start)
    return bytes(out)


def _at(exif: bytes, order: str, pointer: bytes, length: int) -> bytes:
    offset = struct.unpack(order + "I", pointer)[0]
    return exif[offset : offset + length]


def _short(exif: bytes | None, tag: int) -> int | None:
    directory = _read(exif) if exif else None
    for found, kind, _count, value in directory.entries if directory else ():
        if found == tag and kind == _SHORT and directory is not None:
            return int(struct.unpack_from(directory.order + "H", value)[0])
    return None


def _rational(exif: bytes | None, tag: int) -> float | None:
    directory = _read(exif) if exif else None
    for found, kind, _count, value in directory.entries if directory else ():
        if found == tag and kind == _RATIONAL and exif is not None and directory is not None:
            raw = _at(exif, directory.order, value, 8)
            if len(raw) == 8:
                numerator, denominator = struct.unpack(directory.order + "II", raw)
                return float(numerator / denominator) if denominator else None
    return None
