"""CycleGAN in a train job; see `operators.training.schedules.cyclegan`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.faces import Weight


class CycleganModel(ModelBlock):
    """Translation between two domains without pairs (Zhu et al. 2017)."""

    STARTS: ClassVar[tuple[str, ...]] = ("to_second", "to_first", "judge_first", "judge_second")
    MULTIPLE: ClassVar[int] = 4

    kind: Literal["cyclegan"]
    """Kind of model."""
    features: int = Field(default=64, ge=1, le=4096)
    """Channels of a generator at full resolution."""
    blocks: int = Field(default=9, ge=1, le=64)
    """Residual blocks; the paper has 9 for 256 pixels and more, 6 for 128."""
    padding: Literal["reflect", "zero"] = "reflect"
    """Of the residual blocks."""
    judge_features: int = Field(default=64, ge=1, le=4096)
    """Channels of a discriminator's first layer."""
    judge_layers: int = Field(default=3, ge=1, le=6)
    """Layers of a discriminator that halve the size; 3 make patches of 70 pixels."""


class CycleganObjective(ObjectiveBlock):
    """Weights of CycleGAN's terms; 0 leaves one out."""

    adversarial: Weight = 1.0
    """The least squares game, in each direction; with 0 there are no discriminators."""
    cycle: Weight = 10.0
    """L1 of what has gone to the other domain and back."""
    identity: Weight = 5.0
    """L1 of what was of the domain already; the paper has half of the cycle's weight."""

    @model_validator(mode="after")
    def check_terms(self) -> Self:
        """Refuse an objective without terms.

        Raises:
            ValueError: says that there is none.
        """
        if not (self.adversarial or self.cycle or self.identity):
            raise ValueError("no term counts; give one of them a weight")
        return self


class CycleganSchedule(CommonSchedule):
    """Steps of CycleGAN; the paper goes 200 times through about a thousand pictures."""

    steps: int = Field(default=200_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=1, ge=1, le=65_536)
    """Samples of a step over all workers."""
    rate: float = Field(default=2e-4, gt=0.0, le=10.0)
    """Adam's learning rate."""
    decay: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of the steps, at the end, in which the learning rate falls to zero, in a straight line."""
    half_life: float = Field(default=0.0, ge=0.0, le=1e12)
    """Samples after which what was counts half in the running mean of weights; 0 keeps the weights of the end."""
    history: int = Field(default=50, ge=0, le=100_000)
    """Made pictures of each domain that are kept and shown to the discriminator again."""
