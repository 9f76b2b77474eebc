"""Settings of a training of CycleGAN, the paper's where nothing else is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common

Padding = Literal["reflect", "zero"]


@dataclass(frozen=True)
class Network:
    """Two generators and two discriminators, all with instance normalisation.

    Attributes:
        features: channels of a generator at full resolution.
        blocks: residual blocks; the paper has 9 for 256 pixels and more, 6 for 128.
        padding: of the residual blocks.
        judge_features: channels of a discriminator's first layer.
        judge_layers: of a discriminator that halve the size; 3 make patches of 70 pixels.

    Raises:
        ValueError: a count is below 1, or the padding is unknown.
    """

    features: int = 64
    blocks: int = 9
    padding: Padding = "reflect"
    judge_features: int = 64
    judge_layers: int = 3

    def __post_init__(self) -> None:
        for name in ("features", "blocks", "judge_features", "judge_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)}; expected 1 or more")
        if self.padding not in ("reflect", "zero"):
            raise ValueError(f"padding: {self.padding!r}; expected reflect or zero")


@dataclass(frozen=True)
class Objective:
    """Weights of the generators' terms; the discriminators minimise nothing but their own (section 4).

    Attributes:
        adversarial: of the least squares game, for each direction; 0 leaves the game out.
        cycle: lambda, of |F(G(x)) - x| and |G(F(y)) - y|.
        identity: of |G(y) - y| and |F(x) - x| (section 5.2); the paper has half of lambda.

    Raises:
        ValueError: a weight is negative, or none counts.
    """

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0

    def __post_init__(self) -> None:
        weights = {"adversarial": self.adversarial, "cycle": self.cycle, "identity": self.identity}
        for name, weight in weights.items():
            if weight < 0:
                raise ValueError(f"{name}: {weight}; expected a weight from 0")
        if not any(weights.values()):
            raise ValueError("no term counts; give one of them a weight")


@dataclass(frozen=True)
class Schedule(Common):
    """Steps. The paper goes 200 times through about a thousand pictures, one at a time, and keeps no running mean.

    Attributes:
        half_life: as in `Common`; 0 keeps the generators as they are at the end.
        decay: share of the steps in which the learning rate falls, to zero here.
        history: made pictures of each domain that are kept and shown to the discriminator again.

    Raises:
        ValueError: the history is negative.
    """

    steps: int = 200_000
    batch: int = 1
    rate: float = 2e-4
    decay: float = 0.5
    half_life: float = 0.0
    history: int = 50

    def __post_init__(self) -> None:
        if self.history < 0:
            raise ValueError(f"history: {self.history}; expected pictures from 0")

    def factor(self, step: int) -> float:
        """Of the learning rate in a step: without `Common`'s fiftieth at the end, as the paper goes down to zero."""
        rising = min(1.0, (step + 1) / self.warm) if self.warm else 1.0
        left = (self.steps - step) / self.steps
        return rising * (min(1.0, left / self.decay) if self.decay else 1.0)
