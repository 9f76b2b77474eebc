"""Face completion in a train job; see `operators.training.schedules.completion`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.faces import Weight, check_side

Size = Annotated[int, Field(ge=4, le=4096), AfterValidator(check_side)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(strict=False)]


class CompletionModel(ModelBlock):
    """Face completion, with the attributes that the data comes with (Chen, Nie, Wu, Healey 2018)."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator", "discriminator", "features")

    kind: Literal["completion"]
    """Kind of model."""
    size: Size = 256
    """Pixels a side at full growth, a power of two from 4."""
    channels: Counts | None = None
    """Channels of both networks at 4, 8, ... pixels; null for PGGAN's, at most 512."""
    conditional: bool | None = None
    """Residual blocks on the generator's skips; null has them where there are attributes."""

    @model_validator(mode="after")
    def check_channels(self) -> Self:
        """Refuse another number of channels than there are levels.

        Raises:
            ValueError: says how many are expected.
        """
        levels = self.size.bit_length() - 2
        if self.channels is not None and len(self.channels) != levels:
            found = len(self.channels)
            raise ValueError(f"channels: found {found}; expected {levels}, one for each size from 4 to {self.size}")
        return self


class CompletionObjective(ObjectiveBlock):
    """Weights of completion's terms; 0 leaves one out."""

    game: Literal["wasserstein", "logistic"] = "wasserstein"
    """Wasserstein's with its gradient penalty, or the logistic one with R1."""
    adversarial: Weight = 1.0
    """The generator's side of the game; with 0 there is no game."""
    penalty: Weight = 10.0
    """Lambda of the gradient penalty, or gamma of R1."""
    penalty_every: int = Field(default=1, ge=1, le=1_000_000)
    """Steps between two penalties, each weighted with as much."""
    drift: Weight = 0.001
    """What keeps Wasserstein's critic near zero."""
    attributes: Weight = 2.0
    """Cross-entropy of attributes, of both networks."""
    reconstruction: Weight = 500.0
    """L1 of pictures, weighted inside of the hole and outside."""
    inside: float = Field(default=0.7, ge=0.0, le=1.0)
    """What the hole counts in the reconstruction; the rest of the face has 1 less that."""
    feature: Weight = 10.0
    """Features of VGG-16, given as start.features, or of SFace."""
    boundary: Weight = 5000.0
    """L1 beside the hole's edge."""
    radius: int = Field(default=3, ge=0, le=256)
    """Pixels, at the size in training, by which the edge is blurred to make the boundary's weights."""
    flipped_truth: bool = True
    """Whether the truth counts in the hole of a face that is asked for another attribute than it has."""


class CompletionSchedule(CommonSchedule):
    """Steps and growth of completion, with PGGAN's settings."""

    steps: int = Field(default=500_000, ge=1, le=1_000_000_000)
    """Steps in all; enough that the network grows to its size."""
    batch: int = Field(default=16, ge=1, le=65_536)
    """Samples of a step over all workers."""
    rate: float = Field(default=1e-3, gt=0.0, le=10.0)
    """Adam's learning rate."""
    first: Size = 4
    """Pixels a side at which training begins, a power of two; the model's size for a network that does not grow."""
    fading: int = Field(default=600_000, ge=1, le=1_000_000_000)
    """Samples over which a new size is faded in."""
    steady: int = Field(default=600_000, ge=1, le=1_000_000_000)
    """Samples that a size is trained with before the next."""
    fresh: bool = True
    """Whether Adam's moments are forgotten where a size is added."""
    history: int = Field(default=50, ge=0, le=100_000)
    """Completed faces that are kept and shown to the discriminator again."""
