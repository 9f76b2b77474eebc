"""A picture through a function that takes squares: read window by window, written window by window.

Memory holds one batch of windows, whatever the picture's size. Where the overlap is at least the network's reach, the
result is that of the whole picture run at once: a window ends inside the picture only so far from what is kept of it
that its edge cannot be seen, and at the picture's edge it ends there, so that the network's own padding, zeros or a
mirrored border, is what it would be.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from operators.whole.samples import Readable, Window, Writable, full_scale, stored, unit
from operators.whole.windows import Span, Tiling, spans

Run = Callable[[Window], Window]
"""From (N, T, T', 3) float32 in [0, 1] to (N, s T, s T', 3) float32; all windows of a picture have one size."""

Place = tuple[Span, Span]


def tiled(run: Run, source: Readable, target: Writable, geometry: Tiling) -> None:
    """Run a whole picture.

    Args:
        run: makes of windows what is written; (N, tile, tile, 3) float32 in [0, 1], RGB, to (N, s tile, s tile, 3).
            Along an axis on which the picture is shorter than a tile, the windows are as long as the picture.
        source: (H, W, 3) uint8, uint16 or float in [0, 1]; anything that can be sliced.
        target: (s H, s W, 3), of any of these types. Values are clipped to [0, 1] and rounded to the nearest; 16 bits
            never pass through 8. It must not share memory with the source.
        geometry: how the picture is cut.

    Raises:
        ValueError: a shape or a type is another, or source and target share memory.
    """
    places = laid_out(source, target, geometry)
    full, scale = full_scale(target.dtype, "the target"), geometry.scale
    height, width = target.shape[:2]
    for group in grouped(places, geometry.batch):
        batch = read(source, group)
        made = run(batch)
        expected = (len(group), batch.shape[1] * scale, batch.shape[2] * scale, 3)
        if made.shape != expected:
            raise ValueError(f"the network made {made.shape} of {batch.shape}: expected {expected}")
        for piece, (rows, columns) in zip(made, group, strict=True):
            down, beyond = rows.first * scale, min(rows.last * scale, height)
            right, past = columns.first * scale, min(columns.last * scale, width)
            top, left = rows.start * scale, columns.start * scale
            kept = piece[down - top : beyond - top, right - left : past - left]
            target[down:beyond, right:past] = stored(np.array(kept, np.float32), target.dtype, full)


def laid_out(source: Readable, target: Writable, geometry: Tiling) -> list[Place]:
    """The windows of a picture, row by row, after both pictures were found fit.

    Raises:
        ValueError: as `tiled`.
    """
    if len(source.shape) != 3 or source.shape[2] != 3 or 0 in source.shape:
        raise ValueError(
            f"a picture of shape {tuple(source.shape)}: expected (H, W, 3), RGB; repeat a grey picture three times, "
            "and take an alpha channel apart"
        )
    height, width = source.shape[:2]
    wanted = (height * geometry.scale, width * geometry.scale, 3)
    if tuple(target.shape) != wanted:
        raise ValueError(f"a target of shape {tuple(target.shape)}: expected {wanted}")
    full_scale(source.dtype, "the source")
    if isinstance(source, np.ndarray) and isinstance(target, np.ndarray) and np.may_share_memory(source, target):
        raise ValueError("source and target share memory: give the target memory of its own")
    rows, columns = (spans(geometry.padded(length), geometry) for length in (height, width))
    return list(itertools.product(rows, columns))


def grouped(places: list[Place], size: int) -> Iterator[list[Place]]:
    """The windows, so many at a time."""
    for start in range(0, len(places), size):
        yield places[start : start + size]


def read(source: Readable, places: list[Place]) -> Window:
    """Windows of a picture, continued beyond its last row and column by mirroring, the edge itself not repeated.

    Args:
        source: (H, W, 3).
        places: which, all of one size.

    Returns:
        (N, T, T', 3) float32 in [0, 1].
    """
    full = full_scale(source.dtype, "the source")
    return np.stack([unit(_window(source, rows, columns), full) for rows, columns in places])


def _window(source: Readable, rows: Span, columns: Span) -> NDArray[np.generic]:
    height, width = source.shape[:2]
    if rows.stop <= height and columns.stop <= width:
        return np.asarray(source[rows.start : rows.stop, columns.start : columns.stop])
    down, right = _mirrored(rows, height), _mirrored(columns, width)
    top, left = int(down.min()), int(right.min())
    part = np.asarray(source[top : int(down.max()) + 1, left : int(right.max()) + 1])
    return part[np.ix_(down - top, right - left)]


def _mirrored(span: Span, length: int) -> NDArray[np.intp]:
    """Which pixel of the picture stands at each place of a window."""
    period = max(2 * (length - 1), 1)
    folded = np.arange(span.start, span.stop) % period
    return np.minimum(folded, period - folded) if length > 1 else np.zeros_like(folded)
