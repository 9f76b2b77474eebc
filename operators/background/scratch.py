"""Room for large arrays: in memory up to a bound, beyond it in a nameless file on disk."""

from __future__ import annotations

import math
import mmap
import os
import sys
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEMORY_BYTES = 48 * 2**20
"""Size up to which an array is held in memory."""
RESIDENT_BYTES = 32 * 2**20
"""Bytes that may be written to an array on disk before memory is given back."""


def room(shape: tuple[int, ...], dtype: type[np.generic], most: int = MEMORY_BYTES) -> NDArray[Any]:
    """An array to be filled.

    The file lies where Python's `tempfile` puts files (`TMPDIR`), has no name, and is gone with the array or with the
    process, however that ends. On Linux its room is taken at once, so that a full disk is an error here and no crash
    later.

    Args:
        shape: of the array.
        dtype: likewise.
        most: bytes above which it lies on disk.

    Raises:
        OSError: the disk has no room; the message says how much is needed, and where.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= most:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="facejobs-") as file:
        try:
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.truncate(file.fileno(), size)
        except OSError as error:
            message = (
                f"{tempfile.gettempdir()}: no room for {size / 2**30:.1f} GiB of pixels ({error.strerror}); free some, "
                "or name a larger disk in TMPDIR"
            )
            raise OSError(error.errno, message) from error
        return np.memmap(file, dtype, "r+", shape=shape)


class LettingGo:
    """Keeps an array that lies on disk from filling the process's memory while it is worked through.

    Pages of a mapped file count as the process's own until it is short of memory, or until it says that it needs them
    no more; what was written stays in the file.

    Args:
        pixels: any array; one in memory is left alone.
    """

    def __init__(self, pixels: NDArray[Any]) -> None:
        base: object = pixels.base
        self._file = base if isinstance(base, mmap.mmap) else None
        self._touched = 0

    def touched(self, size: int) -> None:
        """Note bytes that were written or read."""
        self._touched += size
        if self._file is not None and self._touched > RESIDENT_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._file.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
