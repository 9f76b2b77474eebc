"""Where tiles lie: their windows, and the part of each that is kept."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut. All lengths but the scale are input pixels.

    Attributes:
        tile: side of a window; along an axis on which the picture is shorter, the window is as long as the picture.
        overlap: pixels between what is kept of a window and the window's edge, where that is not the picture's.
        scale: output pixels per input pixel, along one axis.
        batch: windows that are run together.
        multiple: windows begin and end at multiples of it, and a picture is continued to one by mirroring.
        least: a shorter picture is continued to it, likewise; no more than a tile.

    Raises:
        ValueError: a length is not positive, or the tile has no room between its overlaps.
    """

    tile: int
    overlap: int = 0
    scale: int = 1
    batch: int = 1
    multiple: int = 1
    least: int = 1

    def __post_init__(self) -> None:
        if min(self.tile, self.scale, self.batch, self.multiple, self.least) < 1 or self.overlap < 0:
            raise ValueError(f"{self}: expected lengths of 1 or more, and an overlap of 0 or more")
        if self.tile % self.multiple:
            raise ValueError(f"tile: {self.tile} found, expected a multiple of {self.multiple}")
        if self.tile - 2 * self.margin < self.multiple:
            least = 2 * self.margin + self.multiple
            raise ValueError(
                f"tile: {self.tile} found with an overlap of {self.overlap}, which leaves nothing to keep: "
                f"expected a tile of {least} or more, or a smaller overlap"
            )

    @property
    def margin(self) -> int:
        """The overlap, as a multiple."""
        return -(-self.overlap // self.multiple) * self.multiple

    def padded(self, length: int) -> int:
        """A picture's length, continued to the next multiple that is long enough."""
        return -(-max(length, self.least) // self.multiple) * self.multiple


@dataclass(frozen=True)
class Span:
    """A window along one axis.

    Attributes:
        start: its first pixel.
        stop: behind its last pixel.
        first: first pixel that is kept.
        last: behind the last pixel that is kept.
    """

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, tiling: Tiling) -> list[Span]:
    """Windows along one axis, all equally long, that together keep every pixel once.

    They are spread evenly, so that windows at the picture's edge end there, and their common parts are as wide as the
    number of windows allows; each common part is divided in its middle.

    Args:
        length: of the picture, continued to a multiple.
        tiling: how it is cut.
    """
    if length <= tiling.tile:
        return [Span(0, length, 0, length)]
    inner = tiling.tile - 2 * tiling.margin
    count = -(-(length - 2 * tiling.margin) // inner)
    step = tiling.multiple
    starts = [index * (length - tiling.tile) // (count - 1) // step * step for index in range(count)]
    cuts = [(after + before + tiling.tile) // 2 // step * step for before, after in itertools.pairwise(starts)]
    edges = [0, *cuts, length]
    return [
        Span(start, start + tiling.tile, first, last)
        for start, (first, last) in zip(starts, itertools.pairwise(edges), strict=True)
    ]
