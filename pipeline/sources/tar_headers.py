"""The headers of a tar, guarded against those that make a reader swell, loop or recurse."""

from __future__ import annotations

import re
import tarfile
from typing import Any

MAX_HEADER_BYTES = 256 * 2**10
"""Most bytes of headers for one member. Long names and extended attributes of real archives need a few KiB."""

MAX_DIGITS = 100
"""Longest run of digits in an extended header; tarfile searches such a run in time that grows with its square."""

MAX_CHAIN = 16
"""Most headers that belong to one member. Real ones have up to four; tarfile calls itself for each."""

_NO_POSITION = 2**62
_TYPE = 156  # where a header block (POSIX.1-2008, ustar) says what kind it is
_GLOBAL = tarfile.XGLTYPE
_EXTENDED = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE})
_CHAINED = _EXTENDED | {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
_DIGITS = re.compile(rb"\d+")


class BoundedHeaders:
    """What tarfile reads headers through.

    tarfile reads an extended header of any stated size at once, follows chains of them without end, and takes records
    in them that overlap, so that a small file can cost any memory. Here a member's headers have a budget, and
    an extended header has to be what POSIX.1-2008 ("pax Extended Header") says.

    Args:
        file: the open shard.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = MAX_HEADER_BYTES
        self._left_global = MAX_HEADER_BYTES
        self._chain = 0
        self._kind = b""

    def next_member(self) -> None:
        """A member's headers are read; the next one has a budget of its own."""
        self._left = MAX_HEADER_BYTES
        self._chain = 0

    def tell(self) -> int:
        """Position in the shard."""
        return int(self._file.tell())

    def seek(self, position: int) -> int:
        """Move to a position from the shard's start.

        Raises:
            tarfile.ReadError: there is no such position: sizes in headers can be negative, or of any length.
        """
        if not 0 <= position < _NO_POSITION:
            raise tarfile.ReadError(f"a header points to byte {position}")
        return int(self._file.seek(position))

    def read(self, size: int) -> bytes:
        """Read a part of a header.

        Raises:
            tarfile.ReadError: the headers are too long or too many, or an extended one is malformed.
        """
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError(f"the headers of one member are longer than {MAX_HEADER_BYTES // 1024} KiB")
        block = bytes(self._file.read(size))
        if self._kind in _EXTENDED:
            self._check_extended(block)
        self._kind = block[_TYPE : _TYPE + 1] if len(block) == tarfile.BLOCKSIZE and not self._kind else b""
        self._chain += self._kind in _CHAINED
        if self._chain > MAX_CHAIN:
            raise tarfile.ReadError(f"one member has more than {MAX_CHAIN} headers")
        return block

    def _check_extended(self, block: bytes) -> None:
        if self._kind == _GLOBAL:
            # They hold for all members that follow, so tarfile keeps them all and copies them for each.
            self._left_global -= len(block)
            if self._left_global < 0:
                raise tarfile.ReadError(f"its global headers are longer than {MAX_HEADER_BYTES // 1024} KiB")
        if any(len(run) > MAX_DIGITS for run in _DIGITS.findall(block)):
            raise tarfile.ReadError(f"an extended header holds a number of more than {MAX_DIGITS} digits")
        check_records(block)


def check_records(block: bytes) -> None:
    """Refuse an extended header whose records do not follow each other, each `length keyword=value` and a newline.

    Args:
        block: padded with zero bytes to whole blocks.

    Raises:
        tarfile.ReadError: says so.
    """
    at = 0
    while at < len(block) and block[at]:
        space = block.find(b" ", at, at + 8)
        digits = block[at:space] if space > at else b""
        end = at + int(digits) if digits.isdigit() else 0
        if not space < end <= len(block) or block[end - 1 : end] != b"\n" or block.find(b"=", space, end) < 0:
            raise tarfile.ReadError("an extended header is malformed")
        at = end
