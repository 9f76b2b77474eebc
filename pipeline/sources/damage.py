"""Telling damaged content from storage that failed: both can come as OSError while a file is read through a codec."""

from __future__ import annotations

import gzip
import lzma
import zlib

import pyarrow as pa

DECODING = (pa.ArrowException, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeDecodeError)


def is_damage(error: BaseException) -> bool:
    """Whether an error met while decoding a container says that its bytes are wrong.

    pyarrow and bz2 raise a bare OSError without a number for pages and streams that make no sense; what a file system
    raises carries a number or has a class of its own.
    """
    if isinstance(error, DECODING):
        return True
    return type(error) is OSError and error.errno is None
