"""Good pictures that samples are made of, kept in memory: aligned faces, or pictures that squares are cut out of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from operators.training.data.moving import STILL, USUAL, Jitter, coloured, moved

Pixels = NDArray[np.uint8]


class Supply(Protocol):
    """Good pictures by their place; picklable, and without any state."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def size(self) -> int:
        """Pixels a side of what is taken."""

    def take(self, place: int, generator: np.random.Generator) -> Pixels:
        """A square of a picture, (size, size, 3) uint8 RGB.

        Args:
            place: 0 to `count` - 1.
            generator: for whatever is drawn.
        """

    def still(self) -> Supply:
        """The same without anything drawn: what is taken depends on the place alone."""


@dataclass(frozen=True)
class Faces:
    """Aligned faces with a margin around them.

    Attributes:
        pictures: each (F, F, 3) uint8 RGB.
        margin: around the square, as a share of its side on each side.
        size: pixels a side of what is taken.
        jitter: how they are moved and coloured.
        mirror: how often left and right are exchanged.
    """

    pictures: tuple[Pixels, ...]
    margin: float
    size: int
    jitter: Jitter = USUAL
    mirror: float = 0.5

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.pictures)

    def take(self, place: int, generator: np.random.Generator) -> Pixels:
        """A face, moved and coloured."""
        mirrored = bool(generator.random() < self.mirror)
        face = moved(self.pictures[place], self.margin, self.size, self.jitter, generator, mirrored=mirrored)
        return face if self.jitter.gain == self.jitter.gamma == 0.0 else coloured(face, self.jitter, generator)

    def still(self) -> Faces:
        """Faces as they were aligned."""
        return replace(self, jitter=STILL, mirror=0.0)


@dataclass(frozen=True)
class Crops:
    """Pictures of any size, of which squares are cut out.

    Attributes:
        pictures: each (H, W, 3) uint8 RGB, with sides of `size` and more.
        size: pixels a side of a square.
        mirror: how often left and right are exchanged.
        moves: whether a square's place is drawn; else it is the middle.
    """

    pictures: tuple[Pixels, ...]
    size: int
    mirror: float = 0.5
    moves: bool = True

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.pictures)

    def take(self, place: int, generator: np.random.Generator) -> Pixels:
        """A square out of a picture."""
        (square,) = crops((self.pictures[place],), self.size, self.mirror, generator, moves=self.moves)
        return square

    def still(self) -> Crops:
        """The middle of each picture."""
        return replace(self, mirror=0.0, moves=False)


def crops(
    pictures: tuple[Pixels, ...],
    size: int,
    mirror: float,
    generator: np.random.Generator,
    *,
    moves: bool = True,
    scale: int = 1,
) -> tuple[Pixels, ...]:
    """The same square out of pictures that show the same.

    Args:
        pictures: each (H, W, 3) uint8; the last says where the square may lie, the ones before it are `scale` times
            smaller.
        size: pixels a side of the square in the last.
        mirror: how often left and right are exchanged.
        generator: three numbers are drawn from it.
        moves: whether its place is drawn; else it is the middle.
        scale: how many times smaller the others are.

    Returns:
        A contiguous square of each, in order.
    """
    height, width = pictures[-1].shape[:2]
    down, right, turned = generator.random(3)
    if not moves:
        down = right = 0.5
    top = min(int(down * ((height - size) // scale + 1)), (height - size) // scale)
    left = min(int(right * ((width - size) // scale + 1)), (width - size) // scale)
    result = []
    for number, picture in enumerate(pictures):
        times = scale if number == len(pictures) - 1 else 1
        side = size if times == scale else size // scale
        square = picture[top * times : top * times + side, left * times : left * times + side]
        result.append(np.ascontiguousarray(square[:, ::-1] if turned < mirror else square))
    return tuple(result)
