"""TIFF directories through tifftools, guarded against files that make a reader loop or swell."""

from __future__ import annotations

import io
import logging
import struct
from typing import Any, Literal

import tifftools
from tifftools.exceptions import TifftoolsError

from operators.errors import OperatorError
from operators.images.formats.tiff_guard import Survey, survey

Directory = dict[str, Any]
Entry = dict[str, Any]

# Tags that say how pixels lie in the file. Whoever writes the pixels writes these.
STRUCTURAL = frozenset(
    [
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289),
        *(290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330, 332, 334),
        *(336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
    ]
)

_SPARE_READS = 1000
_UNDEFINED = 7
_ENTRY_SIZES = frozenset({12, 20})  # of TIFF and BigTIFF
_FORMAT_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}


class _Guarded(io.BytesIO):
    """A file in memory that refuses to be read for ever.

    tifftools follows directory chains without looking for loops; a loop shows as endlessly many reads. And it makes a
    list of each value of the type BYTE, of eight times its size: large ones are shown to it as UNDEFINED, which
    it keeps as they are.
    """

    def __init__(self, data: bytes, found: Survey) -> None:
        super().__init__(data)
        self._order: Literal["big", "little"] = "big" if data[:2] == b"MM" else "little"
        self._large = found.large
        # Pages may share directories below them, which are then read more than once.
        self._reads = _SPARE_READS + 8 * (3 * found.directories + 2 * found.entries)
        self._bytes = 2 * len(data) + 1_000_000

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as BytesIO does, within the budget."""
        at = self.tell()
        block = super().read(size)
        if at in self._large and size in _ENTRY_SIZES:
            block = block[:2] + _UNDEFINED.to_bytes(2, self._order) + block[4:]
        self._reads -= 1
        self._bytes -= len(block)
        if self._reads < 0 or self._bytes < 0:
            raise TifftoolsError("its directories form a loop")
        return block


def read_directories(data: bytes, what: str = "TIFF") -> list[Directory]:
    """Return the main directories of a TIFF stream as tifftools describes them.

    Args:
        data: the whole file, or an EXIF block.
        what: how messages call it.

    Raises:
        OperatorError: `truncated` or `corrupt`.
    """
    logging.getLogger("tifftools").setLevel(logging.ERROR)
    found = survey(data, what)
    try:
        info = tifftools.read_tiff(_Guarded(data, found))
    except (TifftoolsError, RecursionError, struct.error, KeyError, ValueError, TypeError, IndexError) as error:
        code = "truncated" if isinstance(error, struct.error) else "corrupt"
        raise OperatorError(code, f"the {what} directory cannot be read: {error}") from error
    if not info["ifds"]:
        raise OperatorError(
            "truncated", f"the {what} directory should lie at byte {info['firstifd']} of {len(data)}: it is not there"
        )
    for directory in info["ifds"]:
        # Strips are copied from here when a TIFF is written; that is not what the guard is for.
        directory["path_or_fobj"] = io.BytesIO(data)
    return list(info["ifds"])


def unread_tags(directory: Directory) -> list[int]:
    """Return the tags whose values could not be read.

    tifftools stops at the first value that lies beyond the end of the file.
    """
    return [tag for tag, entry in directory["tags"].items() if "data" not in entry and "ifds" not in entry]


def numbers(directory: Directory, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return a tag's integers, `default` when it is absent or not made of integers."""
    data = directory["tags"].get(tag, {}).get("data")
    return tuple(int(v) for v in data) if isinstance(data, list) else default


def number(directory: Directory, tag: int, default: int) -> int:
    """Return a tag's first integer."""
    values = numbers(directory, tag)
    return values[0] if values else default


def rational(directory: Directory, tag: int) -> float | None:
    """Return a RATIONAL tag's first value, None when absent or divided by zero."""
    values = numbers(directory, tag)
    return values[0] / values[1] if len(values) >= 2 and values[1] else None


def raw(directory: Directory, tag: int) -> bytes | None:
    """Return a tag's value as the bytes it was written with, None when absent."""
    entry = directory["tags"].get(tag)
    if entry is None or "data" not in entry:
        return None
    data = entry["data"]
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    code = _FORMAT_CODES.get(entry["datatype"])
    if code is None:
        return None
    return struct.pack((">" if directory["bigEndian"] else "<") + code * len(data), *data)
