"""SRGAN in a train job: enlarging, first on the mean square and then against a discriminator."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock


class SrganModel(ModelBlock):
    """SRResNet, which enlarges, and the discriminator that it is trained against."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator", "discriminator", "features")
    MULTIPLE: ClassVar[int] = 16

    kind: Literal["srgan"]
    """Enlarging with features and a discriminator (Ledig et al. 2017)."""
    size: int = Field(default=96, ge=16, le=1024)
    """Pixels a side of what is made, a multiple of 16; the trained network takes any size."""
    enlargement: Literal[2, 3, 4, 8] = 4
    """How many times larger, in each direction, that is than what is given."""
    form: Literal["paper", "modified"] = "paper"
    """With batch normalisation as in the paper, or without, adding to a bilinear enlargement."""
    channels: int = Field(default=64, ge=1, le=1024)
    """Channels of the generator's features."""
    blocks: int = Field(default=16, ge=1, le=256)
    """Residual blocks."""
    judge_width: int = Field(default=64, ge=1, le=1024)
    """Channels of the discriminator's first layer."""
    judge_hidden: int = Field(default=1024, ge=1, le=65_536)
    """Width of its linear layer."""

    def scale(self) -> int:
        """How many times smaller, in each direction, what the network is given is than what it makes."""
        return self.enlargement


class SrganObjective(ObjectiveBlock):
    """What the generator minimises in the game; before it, that is the mean square alone."""

    content: float = Field(default=1.0, ge=0.0, le=1e9)
    """Squared distance of features: of VGG-16 where model.start has `features`, else of SFace."""
    adversarial: float = Field(default=1e-3, ge=0.0, le=1e9)
    """The game; 0 leaves the discriminator out."""
    pixel: float = Field(default=0.0, ge=0.0, le=1e9)
    """Mean square of pictures in [-1, 1]."""


class SrganSchedule(CommonSchedule):
    """Two trainings, one after the other."""

    steps: int = Field(default=1_200_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=16, ge=1, le=65_536)
    """Samples of a step over all workers."""
    rate: float = Field(default=1e-4, gt=0.0, le=10.0)
    """Adam's learning rate."""
    half_life: float = Field(default=0.0, ge=0.0, le=1e12)
    """Samples after which what was counts half in the running mean of weights; 0 is no mean."""
    alone: int = Field(default=1_000_000, ge=0, le=1_000_000_000)
    """Steps in which the generator is trained by itself, on the mean square; at most all."""
    late: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of the steps of the game, at its end, with a lower rate."""
    late_rate: float = Field(default=0.1, gt=0.0, le=1.0)
    """That rate, as a share of the other."""
