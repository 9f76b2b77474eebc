"""Settings of SRGAN; defaults are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common

FACTORS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Enlargements of the network, one after the other, by what they come to."""
_HALVINGS = 16
"""The discriminator's features have so many times fewer pixels a side than its pictures."""


@dataclass(frozen=True)
class Network:
    """Generator and discriminator.

    Attributes:
        size: pixels a side of what is made, a multiple of 16; the generator takes any size afterwards.
        enlargement: how many times larger that is than what is given: 2, 3, 4 or 8.
        form: `paper` with batch normalisation, or `modified` without, which adds to a bilinear enlargement (ESRGAN's
            "MSRResNet").
        channels: of the generator's features.
        blocks: residual blocks.
        judge_width: channels of the discriminator's first layer.
        judge_hidden: width of its linear layer.
    """

    size: int = 96
    enlargement: int = 4
    form: Literal["paper", "modified"] = "paper"
    channels: int = 64
    blocks: int = 16
    judge_width: int = 64
    judge_hidden: int = 1024

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        if self.enlargement not in FACTORS:
            raise ValueError(f"enlargement is {self.enlargement}; expected one of {', '.join(map(str, FACTORS))}")
        if self.size < 1 or self.size % _HALVINGS or self.size % self.enlargement:
            raise ValueError(
                f"size is {self.size}; expected a multiple of {_HALVINGS} and of the enlargement, {self.enlargement}"
            )
        if self.form not in ("paper", "modified"):
            raise ValueError(f"form is {self.form!r}; expected paper or modified")
        for name in ("channels", "blocks", "judge_width", "judge_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")


@dataclass(frozen=True)
class Objective:
    """Weights of what the generator minimises in the game; before it, that is the mean square alone.

    Attributes:
        content: squared distance of features (equation 5), which are scaled to about the size of the mean square.
        adversarial: the game, non-saturating (equation 6); 0 leaves the discriminator out.
        pixel: mean square of pictures in [-1, 1] (equation 4); none in the paper's game.
    """

    content: float = 1.0
    adversarial: float = 1e-3
    pixel: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for weights below 0, or none above it."""
        for name in ("content", "adversarial", "pixel"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 0 or more")
        if self.content == self.adversarial == self.pixel == 0:
            raise ValueError("content is 0, and so are adversarial and pixel; expected one of them above 0")


@dataclass(frozen=True)
class Schedule(Common):
    """Two trainings, one after the other (section 3.2).

    Batch normalisation takes the pictures of all workers together. With `accumulate` each part is normalised by itself,
    so that the result is another.

    Attributes:
        alone: steps of `steps` in which the generator is trained by itself, on the mean square (SRResNet).
        late: share of the steps of the game, at its end, with a lower rate.
        late_rate: that rate, as a share of `rate`.
    """

    steps: int = 1_200_000
    batch: int = 16
    rate: float = 1e-4
    half_life: float = 0.0
    alone: int = 1_000_000
    late: float = 0.5
    late_rate: float = 0.1

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        if not 0 <= self.alone <= self.steps:
            raise ValueError(
                f"alone is {self.alone}; expected 0 to {self.steps}, the steps in all; "
                "the paper's are five sixths of them"
            )
        if not 0 <= self.late <= 1:
            raise ValueError(f"late is {self.late}; expected a share from 0 to 1")
        if not 0 < self.late_rate <= 1:
            raise ValueError(f"late_rate is {self.late_rate}; expected a share above 0, up to 1")

    def factor(self, step: int) -> float:
        """Of the learning rate in a step."""
        begins = self.steps - self.late * (self.steps - self.alone)
        return super().factor(step) * (self.late_rate if step >= max(begins, self.alone) else 1.0)
