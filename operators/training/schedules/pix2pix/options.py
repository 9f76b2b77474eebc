"""Settings of pix2pix; defaults are the paper's and, where it is silent, those of its authors' code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common

_LEAST_LEVELS = 5
_LEAST_JUDGED = 3
"""Pixels a side of the discriminator's features before its last two convolutions, which take one away each."""


@dataclass(frozen=True)
class Network:
    """Generator and discriminator.

    Attributes:
        size: pixels a side of the samples, a multiple of 2 ** levels.
        levels: of the U-Net, 5 or more.
        width: channels of its first level.
        norm: `instance`, or `batch`. The paper normalises with the statistics of the batch when it tests, too, and its
            batch is one picture: that is instance normalisation. With `batch` what is exported is normalised by running
            statistics, which wants batches of several pictures; with `accumulate` each part is normalised by itself.
        dropout: whether three of the inner levels drop half of their features in training; what is exported does not.
        judge_width: channels of the discriminator's first layer.
        judge_layers: of it that halve the size; with 3 it sees patches of 70 pixels.
    """

    size: int = 256
    levels: int = 8
    width: int = 64
    norm: Literal["instance", "batch"] = "instance"
    dropout: bool = True
    judge_width: int = 64
    judge_layers: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        if self.levels < _LEAST_LEVELS:
            raise ValueError(f"levels is {self.levels}; expected {_LEAST_LEVELS} or more")
        if self.size < 1 or self.size % (1 << self.levels):
            raise ValueError(
                f"size is {self.size}; expected a multiple of {1 << self.levels}, for {self.levels} levels"
            )
        if self.norm not in ("instance", "batch"):
            raise ValueError(f"norm is {self.norm!r}; expected instance or batch")
        for name in ("width", "judge_width", "judge_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if self.size >> self.judge_layers < _LEAST_JUDGED:
            raise ValueError(
                f"judge_layers is {self.judge_layers}, which leaves nothing of {self.size} pixels; expected fewer"
            )


@dataclass(frozen=True)
class Objective:
    """Weights of what the generator minimises (equation 4).

    Attributes:
        content: L1 of pictures in [-1, 1] (equation 3).
        adversarial: the conditional game (equation 1); 0 leaves the discriminator out.
        game: `logistic`, as the paper has it, or `least_squares`, as its authors' later code has it.
    """

    content: float = 100.0
    adversarial: float = 1.0
    game: Literal["logistic", "least_squares"] = "logistic"

    def __post_init__(self) -> None:
        """Raises ValueError for weights below 0, or none above it, or another game."""
        for name in ("content", "adversarial"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 0 or more")
        if self.content == self.adversarial == 0:
            raise ValueError("content is 0, and so is adversarial; expected one of them above 0")
        if self.game not in ("logistic", "least_squares"):
            raise ValueError(f"game is {self.game!r}; expected logistic or least_squares")


@dataclass(frozen=True)
class Schedule(Common):
    """Adam with betas of 0.5 and 0.999; the steps are 200 rounds of the paper's 400 facades."""

    steps: int = 80_000
    batch: int = 1
    rate: float = 2e-4
    decay: float = 0.5
    half_life: float = 0.0
