"""Boxes, the envelope of JPEG 2000 and HEIF files (ITU-T T.800 annex I, ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from operators.errors import OperatorError

_MAX_BOXES = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four-letter name, where its payload starts and where the box ends."""

    name: bytes
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    """Return the boxes between two positions.

    Raises:
        OperatorError: `truncated` when a box reaches beyond `end`, `corrupt` when a length makes no sense.
    """
    limit = len(data) if end is None else end
    found: list[Box] = []
    at = start
    while at + 8 <= limit:
        length, name = struct.unpack(">I4s", data[at : at + 8])
        head = 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = limit - at
        if length < head:
            raise OperatorError("corrupt", f"the box at byte {at} states a length of {length}")
        if at + length > limit:
            raise OperatorError(
                "truncated", f"the box at byte {at} reaches to {at + length}, but only {limit} bytes are there"
            )
        found.append(Box(name, at + head, at + length))
        at += length
        if len(found) > _MAX_BOXES:
            raise OperatorError("corrupt", f"the file has more than {_MAX_BOXES} boxes")
    return found


def box(name: bytes, payload: bytes) -> bytes:
    """Return a box around a payload."""
    if len(payload) + 8 < 1 << 32:
        return (len(payload) + 8).to_bytes(4, "big") + name + payload
    return (1).to_bytes(4, "big") + name + (len(payload) + 16).to_bytes(8, "big") + payload
