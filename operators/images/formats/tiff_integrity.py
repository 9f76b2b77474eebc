"""Is a TIFF file's pixel data whole? libtiff reports damage as warnings and goes on, so more must be asked."""

from __future__ import annotations

import io
import zlib

import tifftools
from tifftools.exceptions import TifftoolsError

from operators.errors import OperatorError
from operators.images.formats.tiff import (
    BITS,
    HEIGHT,
    ROWS_PER_STRIP,
    SAMPLES,
    STRIP_BYTES,
    STRIP_OFFSETS,
    SUB_DIRECTORIES,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
)
from operators.images.formats.tiff_directory import STRUCTURAL, Directory, number, numbers

_SLICE = 65536
_OUT_SLICE = 1 << 20


def check_deflate(data: bytes, directory: Directory) -> None:
    """Verify the checksums of a deflate-compressed page, which libtiff does not.

    Every strip and tile is a zlib stream that closes with an Adler-32 sum (RFC 1950).

    Args:
        data: the whole file.
        directory: its page; compression must be deflate.

    Raises:
        OperatorError: `corrupt`.
    """
    view = memoryview(data)
    most = _block_bytes(directory)
    for offsets_tag, bytes_tag in ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES)):
        spans = zip(numbers(directory, offsets_tag), numbers(directory, bytes_tag), strict=False)
        for index, (offset, length) in enumerate(spans):
            if length and not _inflates(view[offset : offset + length], most):
                raise OperatorError(
                    "corrupt",
                    f"strip or tile {index} of the TIFF fails its checksum, or inflates to more than its pixels take; "
                    "fetch the file again",
                )


def without_description(data: bytes, directory: Directory) -> bytes | None:
    """Return the same pixel data under the structural tags alone.

    libtiff warns of odd descriptive tags as it warns of damaged data. With this copy only the latter is left.

    Returns:
        A TIFF file, None when the page lacks tags that a copy needs.
    """
    tags = {
        tag: entry
        for tag, entry in directory["tags"].items()
        if tag in STRUCTURAL and tag != SUB_DIRECTORIES and "data" in entry
    }
    out = io.BytesIO()
    page = {"tags": tags, "path_or_fobj": io.BytesIO(data), "size": len(data)}
    try:
        tifftools.write_tiff([page], out, bigEndian=directory["bigEndian"], bigtiff=directory["bigtiff"])
    except (TifftoolsError, KeyError, ValueError, TypeError):
        return None
    return out.getvalue()


def _block_bytes(directory: Directory) -> int:
    """The most bytes that a strip or tile can have, decoded."""
    sample = -(-max(numbers(directory, BITS, (1,)), default=1) // 8) * number(directory, SAMPLES, 1)
    tile = number(directory, TILE_WIDTH, 0) * number(directory, TILE_HEIGHT, 0)
    height = number(directory, HEIGHT, 0)
    strip = number(directory, WIDTH, 0) * min(number(directory, ROWS_PER_STRIP, height), height)
    return (tile or strip) * sample


def _inflates(stream: memoryview, most: int) -> bool:
    """Whether a zlib stream is whole, and inflates to at most so many bytes and a little."""
    inflater = zlib.decompressobj()
    length = 0
    try:
        for at in range(0, len(stream), _SLICE):
            rest: bytes | memoryview = stream[at : at + _SLICE]
            while rest and length <= most + _SLICE:
                length += len(inflater.decompress(rest, _OUT_SLICE))
                rest = inflater.unconsumed_tail
            if inflater.eof or length > most + _SLICE:
                return inflater.eof
    except zlib.error:
        return False
    return False
