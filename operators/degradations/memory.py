"""Freed memory kept for the next pair, as taking it anew from the system costs more than most steps."""

from __future__ import annotations

from functools import cache

import numpy as np

_LARGEST = 31 << 20
"""Bytes; glibc's moving threshold ends at 32 MiB, its own words included."""


@cache
def hold_memory() -> None:
    """Let this process keep up to 64 MB that it has freed, once.

    A picture of 512 x 512 pixels is 3 MB of float32, and each step makes one or two. glibc's malloc begins by giving
    pieces of this size back to the system at once, and the next one comes page by page again: up to 3 ms a picture on a
    virtual machine, where clipping it takes 0.1 ms. A freed piece of 31 MiB raises malloc's thresholds for good
    (mallopt(3): M_MMAP_THRESHOLD is dynamic, M_TRIM_THRESHOLD twice as large). Nothing is written into it, so it costs
    nothing itself; other allocators take no notice.
    """
    np.empty(_LARGEST, dtype=np.uint8)
