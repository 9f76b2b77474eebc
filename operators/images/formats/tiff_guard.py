"""TIFF directories looked over before a reader follows them: how many there are, and what their values would cost.

A directory points to the next and to others below it (TIFF 6.0, section 2; BigTIFF). Nothing in the format keeps such
a chain from going round in a circle, from having a million links, or a value from being listed with any count.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from operators.errors import OperatorError

MAX_VALUES = 4_000_000
"""Most numbers in the values of a file's directories: a list of strips or tiles of the largest image has fewer."""

MAX_ENTRIES = 1_000_000
"""Most tags of a file: directories may overlap each other, so that a file holds far more of them than bytes."""

_LARGE = 65_536
_BYTES = frozenset({1, 6})  # BYTE, SBYTE
_UNPACKED = frozenset({3, 4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18})
# EXIF, GPS, interoperability, SubIFDs, global parameters: what tifftools follows beside the types IFD and IFD8.
_POINTERS = frozenset({34665, 34853, 40965, 330, 400})
_IFD_TYPES = frozenset({13, 18})


@dataclass(frozen=True)
class _Layout:
    """How numbers lie: byte order, and lengths of a count, an entry and a pointer."""

    order: str
    count: str
    entry: str
    pointer: str
    first: int

    @property
    def entry_size(self) -> int:
        return struct.calcsize(self.order + self.entry)


@dataclass
class Survey:
    """What a file's directories hold.

    Attributes:
        directories: different ones.
        entries: in all of them, and one more for each.
        large: positions of entries with so many single bytes that they are better read as a block.
    """

    directories: int = 0
    entries: int = 0
    large: set[int] = field(default_factory=set)


def count_pages(data: bytes, most: int) -> int:
    """Return the number of main directories, counted up to one more than `most`.

    Args:
        data: the whole file.
        most: where counting may stop.

    Raises:
        OperatorError: `corrupt`, they form a loop.
    """
    layout = _layout(data)
    seen: set[int] = set()
    at = layout.first if layout else 0
    while layout and at and len(seen) <= most:
        if at in seen:
            raise OperatorError("corrupt", f"the TIFF directories form a loop: the one at byte {at} follows itself")
        seen.add(at)
        at = _following(data, layout, at)
    return len(seen)


def survey(data: bytes, what: str = "TIFF") -> Survey:
    """Look at each directory once, those below others included.

    Args:
        data: the whole file, or an EXIF block.
        what: how messages call it.

    Raises:
        OperatorError: `corrupt`, the values are too many to be those of an image.
    """
    layout = _layout(data)
    found = Survey()
    if layout is None:
        return found
    waiting, seen, values = [layout.first], {0}, 0
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        found.directories += 1
        found.entries += 1  # so that directories without any are bounded as well
        for position, tag, kind, count, pointer in _entries(data, layout, at):
            found.entries += 1
            if kind in _BYTES and count > _LARGE:
                found.large.add(position)
            elif kind in _UNPACKED and count < len(data):  # a larger one lies outside the file and is not read
                values += count
            if values > MAX_VALUES or found.entries > MAX_ENTRIES:
                raise OperatorError(
                    "corrupt", f"the {what} has more than {MAX_ENTRIES} tags, or {MAX_VALUES} numbers in them"
                )
            if tag in _POINTERS or kind in _IFD_TYPES:
                waiting.extend(_targets(data, layout, count, position, pointer))
        waiting.append(_following(data, layout, at))
    return found


def _layout(data: bytes) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    if struct.unpack_from(order + "H", data, 2)[0] == 43:
        return (
            _Layout(order, "Q", "HHQQ", "Q", struct.unpack_from(order + "Q", data, 8)[0]) if len(data) >= 16 else None
        )
    return _Layout(order, "H", "HHII", "I", struct.unpack_from(order + "I", data, 4)[0])


def _number(data: bytes, layout: _Layout, code: str, at: int) -> int:
    """The number at a position; 0 beyond the end."""
    size = struct.calcsize(code)
    return int(struct.unpack_from(layout.order + code, data, at)[0]) if 0 <= at <= len(data) - size else 0


def _following(data: bytes, layout: _Layout, at: int) -> int:
    count = _number(data, layout, layout.count, at)
    return _number(data, layout, layout.pointer, at + struct.calcsize(layout.count) + count * layout.entry_size)


def _entries(data: bytes, layout: _Layout, at: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Position, tag, type, count and value or pointer of each entry that lies in the file."""
    start = at + struct.calcsize(layout.count)
    fitting = max(0, (len(data) - start) // layout.entry_size)
    for index in range(min(_number(data, layout, layout.count, at), fitting)):
        position = start + index * layout.entry_size
        tag, kind, count, pointer = struct.unpack_from(layout.order + layout.entry, data, position)
        yield position, tag, kind, count, pointer


def _targets(data: bytes, layout: _Layout, count: int, position: int, pointer: int) -> Iterator[int]:
    """Where the directories lie that an entry points to."""
    size = struct.calcsize(layout.pointer)
    start = pointer if count > 1 else position + layout.entry_size - size
    for index in range(min(count, len(data) // size)):
        yield _number(data, layout, layout.pointer, start + index * size)
