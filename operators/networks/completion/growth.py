"""Progressive growth: which resolution is trained, and how far its new layers are faded in (Karras et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

from operators.networks.completion.levels import SMALLEST, levels_of


@dataclass(frozen=True)
class Stage:
    """One moment of the growth.

    Attributes:
        size: pixels a side that both networks work at, a power of two from 4.
        alpha: share of the newest layers, 0 to 1; 1 is the stage without what came before.

    Raises:
        ValueError: another size, or a share outside of [0, 1].
    """

    size: int
    alpha: float = 1.0

    def __post_init__(self) -> None:
        levels_of(self.size)
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha is {self.alpha}; it must be from 0 to 1")

    @property
    def level(self) -> int:
        """0 for 4 pixels, one more for each doubling."""
        return levels_of(self.size) - 1

    @property
    def fades(self) -> bool:
        """Whether the layers of the size before are mixed in."""
        return self.alpha < 1.0 and self.size > SMALLEST


@dataclass(frozen=True)
class Growth:
    """A schedule: each size is faded in over some pictures and kept for some; the first needs no fading.

    Attributes:
        first: size at which training begins.
        last: size at which it ends.
        fading: pictures over which a new size is faded in, linearly.
        steady: pictures that a size is trained with afterwards.

    Raises:
        ValueError: a size is no power of two from 4, they are in the wrong order, or a count is not positive.
    """

    first: int = SMALLEST
    last: int = 1024
    fading: int = 600_000
    steady: int = 600_000

    def __post_init__(self) -> None:
        if levels_of(self.first) > levels_of(self.last):
            raise ValueError(f"growth from {self.first} to {self.last} pixels; the first size must not be the larger")
        if self.fading < 1 or self.steady < 1:
            raise ValueError(f"{self.fading} and {self.steady} pictures; expected counts of 1 or more")

    def stage(self, shown: int) -> Stage:
        """The stage after so many pictures; the last one without end.

        Args:
            shown: real pictures that training has seen, from 0.
        """
        grown = levels_of(self.last) - levels_of(self.first)
        rest = shown - self.steady
        doublings = 0 if rest < 0 else min(rest // (self.fading + self.steady) + 1, grown)
        size = self.first << doublings
        if doublings == 0:
            return Stage(size)
        begun = self.steady + (doublings - 1) * (self.fading + self.steady)
        return Stage(size, min(1.0, (shown - begun) / self.fading))
