"""Samples of a training by number: the same number always gives the same sample. Picklable, and without any state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from operators.training.data.degrading import Mixture, Resampler, degraded, reduced
from operators.training.data.masks import Masks, drawn_mask
from operators.training.data.order import generator, place
from operators.training.data.supply import Supply, crops
from operators.training.data.tones import in_its_tone

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Order:
    """Which picture a sample is made of.

    Attributes:
        seed: of the training.
        shuffled: in a new order each round; else in their own, and always made in the same way.
        name: of the set of pictures, where there are several.
    """

    seed: int
    shuffled: bool = True
    name: str = ""

    def place(self, number: int, count: int) -> int:
        """Of a sample's picture."""
        return place(self.seed, number, count, self.name) if self.shuffled else number % count

    def generator(self, number: int, count: int) -> np.random.Generator:
        """For what is drawn for a sample."""
        return generator(self.seed, number if self.shuffled else number % count, f"sample {self.name}")

    def number(self, number: int, count: int) -> int:
        """By which a recipe is drawn."""
        return number if self.shuffled else number % count


@dataclass(frozen=True)
class Good:
    """Good pictures alone: `truth`.

    Attributes:
        supply: of good pictures.
        order: in which they come.
    """

    supply: Supply
    order: Order

    @property
    def count(self) -> int:
        """Of the good pictures."""
        return self.supply.count

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """`truth`, (N, S, S, 3) uint8."""
        return {"truth": np.stack([_taken(self.supply, self.order, number)[0] for number in numbers])}


@dataclass(frozen=True)
class Degraded:
    """Good pictures beside what recipes make of them: `degraded` and `truth`.

    Attributes:
        supply: of good pictures.
        order: in which they come.
        mixture: of recipes; None degrades nothing.
        scale: how many times smaller degraded pictures are made at the end.
        resampler: with what.
        keep_tone: what lost its colours keeps its tone in the truth.
    """

    supply: Supply
    order: Order
    mixture: Mixture | None
    scale: int = 1
    resampler: Resampler = "bicubic"
    keep_tone: bool = False

    @property
    def count(self) -> int:
        """Of the good pictures."""
        return self.supply.count

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """`degraded`, (N, S / scale, S / scale, 3) uint8, and `truth`, (N, S, S, 3) uint8."""
        bad, good = zip(*(self._pair(number) for number in numbers), strict=True)
        return {"degraded": np.stack(bad), "truth": np.stack(good)}

    def _pair(self, number: int) -> tuple[Pixels, Pixels]:
        truth, at, draws = _taken(self.supply, self.order, number)
        bad = truth
        if self.mixture is not None:
            drawn = self.order.number(number, self.count)
            bad, truth = degraded(truth, self.mixture, self.order.seed, at, drawn, draws)
        truth = in_its_tone(bad, truth) if self.keep_tone else truth
        return (bad if self.scale == 1 else reduced(bad, self.scale, self.resampler)), truth


@dataclass(frozen=True)
class Holed:
    """Good pictures with what is taken away of each: `truth`, `mask` and `attributes`.

    Attributes:
        supply: of good pictures.
        order: in which they come.
        masks: what is taken away.
        attributes: (M, A) float32 in [0, 1], of each picture; mirroring does not change them.
    """

    supply: Supply
    order: Order
    masks: Masks
    attributes: NDArray[np.float32]

    @property
    def count(self) -> int:
        """Of the good pictures."""
        return self.supply.count

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """`truth`, (N, S, S, 3) uint8; `mask`, (N, S, S) uint8, 1 where it is taken away; `attributes`, (N, A)."""
        pictures, masks, attributes = [], [], []
        for number in numbers:
            truth, at, draws = _taken(self.supply, self.order, number)
            pictures.append(truth)
            masks.append(drawn_mask(self.supply.size, self.masks, draws))
            attributes.append(self.attributes[at])
        return {"truth": np.stack(pictures), "mask": np.stack(masks), "attributes": np.stack(attributes)}


@dataclass(frozen=True)
class Unpaired:
    """Pictures of two domains that have nothing to do with each other: `first` and `second`.

    Attributes:
        one: of the first domain.
        other: of the second.
        orders: in which each comes.
    """

    one: Supply
    other: Supply
    orders: tuple[Order, Order]

    @property
    def count(self) -> int:
        """Of the pictures of the larger domain."""
        return max(self.one.count, self.other.count)

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """`first` and `second`, (N, S, S, 3) uint8 each."""
        sides = zip(("first", "second"), (self.one, self.other), self.orders, strict=True)
        return {
            name: np.stack([_taken(supply, order, number)[0] for number in numbers]) for name, supply, order in sides
        }


class StoredPairs(Protocol):
    """Pairs that were made before; picklable, and without any state that changes what is read."""

    @property
    def count(self) -> int:
        """How many there are."""

    def pair(self, at: int) -> tuple[Pixels, Pixels]:
        """Degraded picture and target, (h, w, 3) and (H, W, 3) uint8 RGB."""

    def refusal(self, at: int, found: str) -> Exception:
        """What is raised for a pair that does not fit."""


@dataclass(frozen=True)
class Paired:
    """Pairs that were made before: `degraded` and `truth`.

    Attributes:
        pairs: as they lie in storage.
        order: in which they come.
        size: pixels a side of a target.
        scale: how many times smaller degraded pictures are.
        crop: whether squares are cut out of larger pairs; else every pair has the size of a sample.
        mirror: how often left and right are exchanged.
        keep_tone: likewise.
    """

    pairs: StoredPairs
    order: Order
    size: int
    scale: int = 1
    crop: bool = False
    mirror: float = 0.5
    keep_tone: bool = False

    @property
    def count(self) -> int:
        """Of the pairs."""
        return self.pairs.count

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """`degraded`, (N, S / scale, S / scale, 3) uint8, and `truth`, (N, S, S, 3) uint8."""
        bad, good = zip(*(self._pair(number) for number in numbers), strict=True)
        return {"degraded": np.stack(bad), "truth": np.stack(good)}

    def check_first(self) -> None:
        """Read the first pair, so that a set that does not fit is noticed before training begins.

        Raises:
            Exception: what `pairs.refusal` gives.
        """
        bad, good = self.pairs.pair(0)
        if problem := self._misfit(bad, good):
            raise self.pairs.refusal(0, problem)

    def _pair(self, number: int) -> tuple[Pixels, Pixels]:
        at = self.order.place(number, self.count)
        bad, good = self.pairs.pair(at)
        if problem := self._misfit(bad, good):
            raise self.pairs.refusal(at, problem)
        draws, still = self.order.generator(number, self.count), not self.order.shuffled
        mirror = 0.0 if still else self.mirror
        bad, good = crops((bad, good), self.size, mirror, draws, moves=not still, scale=self.scale)
        return bad, in_its_tone(bad, good) if self.keep_tone else good

    def _misfit(self, bad: Pixels, good: Pixels) -> str:
        height, width = good.shape[:2]
        if bad.shape[0] * self.scale != height or bad.shape[1] * self.scale != width:
            wanted = "one size" if self.scale == 1 else f"degraded pictures {self.scale} times smaller"
            return f"{bad.shape[1]} x {bad.shape[0]} pixels beside {width} x {height}, expected {wanted}"
        if self.crop and min(height, width) >= self.size:
            return ""
        if (height, width) != (self.size, self.size):
            at_least = "at least " if self.crop else ""
            return f"{width} x {height} pixels, expected {at_least}{self.size} x {self.size}"
        return ""


def _taken(supply: Supply, order: Order, number: int) -> tuple[Pixels, int, np.random.Generator]:
    """A sample's good picture, which one it is, and what further draws come from."""
    at = order.place(number, supply.count)
    draws = order.generator(number, supply.count)
    return supply.take(at, draws), at, draws
