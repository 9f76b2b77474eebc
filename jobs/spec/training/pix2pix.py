"""pix2pix in a train job: translating pictures, from pairs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock


class Pix2PixModel(ModelBlock):
    """A U-Net, and the discriminator of patches that it is trained against."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    MULTIPLE: ClassVar[int] = 32

    kind: Literal["pix2pix"]
    """Translating pictures, from pairs (Isola et al. 2017)."""
    size: int = Field(default=256, ge=32, le=4096)
    """Pixels a side of the samples, a multiple of 2 to the power of the levels."""
    levels: int = Field(default=8, ge=5, le=12)
    """Levels of the U-Net."""
    width: int = Field(default=64, ge=1, le=1024)
    """Channels of its first level."""
    norm: Literal["instance", "batch"] = "instance"
    """Normalisation by each picture's own statistics, or by the batch's, which wants batches of several pictures."""
    dropout: bool = True
    """Whether three of the inner levels drop half of their features in training."""
    judge_width: int = Field(default=64, ge=1, le=1024)
    """Channels of the discriminator's first layer."""
    judge_layers: int = Field(default=3, ge=1, le=8)
    """Layers of it that halve the size; with 3 it sees patches of 70 pixels."""


class Pix2PixObjective(ObjectiveBlock):
    """What the generator minimises."""

    content: float = Field(default=100.0, ge=0.0, le=1e9)
    """Mean difference of pictures in [-1, 1]."""
    adversarial: float = Field(default=1.0, ge=0.0, le=1e9)
    """The game about pairs of what was given and what became of it; 0 leaves the discriminator out."""
    game: Literal["logistic", "least_squares"] = "logistic"
    """Its kind: the paper's, or that of its authors' later code."""


class Pix2PixSchedule(CommonSchedule):
    """How long, in what steps."""

    steps: int = Field(default=80_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=1, ge=1, le=65_536)
    """Samples of a step over all workers."""
    rate: float = Field(default=2e-4, gt=0.0, le=10.0)
    """Adam's learning rate."""
    decay: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of the steps, at the end, in which the learning rate falls to a fiftieth, in a straight line."""
    half_life: float = Field(default=0.0, ge=0.0, le=1e12)
    """Samples after which what was counts half in the running mean of weights; 0 is no mean."""
