"""The transformation network of perceptual losses in a train job: one style for any picture, or detail."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock


class TransformModel(ModelBlock):
    """A network that keeps a picture's size, trained by the features of another network alone."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator", "features")
    MULTIPLE: ClassVar[int] = 4

    kind: Literal["transform"]
    """A style, or sharpness, by perceptual losses (Johnson et al. 2016)."""
    task: Literal["style", "super_resolution"] = "style"
    """The style of the picture `data.style` for any picture; or detail for pictures that were enlarged bicubically."""
    size: int = Field(default=256, ge=32, le=4096)
    """Pixels a side of the samples, a multiple of 4; the trained network takes any size."""
    enlargement: Literal[2, 3, 4, 8] = 4
    """Task super_resolution: how many times pictures were enlarged, in each direction."""
    style_size: int = Field(default=256, ge=32, le=4096)
    """Task style: shorter side, in pixels, to which the style picture is brought; it says how large strokes are."""
    channels: int = Field(default=32, ge=1, le=1024)
    """Channels at full resolution."""
    blocks: int = Field(default=5, ge=1, le=64)
    """Residual blocks."""
    large: int = Field(default=9, ge=1, le=31)
    """Side of the first and last kernel, odd."""


class TransformObjective(ObjectiveBlock):
    """What the network minimises."""

    content: float = Field(default=1.0, ge=0.0, le=1e9)
    """Squared distance of features from the picture's: of VGG-16 where model.start has `features`, else of SFace."""
    style: float = Field(default=5.0, ge=0.0, le=1e9)
    """Task style: squared distance of their Gram matrices from the style picture's."""
    variation: float = Field(default=1.0, ge=0.0, le=1e9)
    """Mean squared difference of neighbouring pixels."""


class TransformSchedule(CommonSchedule):
    """How long, in what steps."""

    steps: int = Field(default=40_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=4, ge=1, le=65_536)
    """Samples of a step over all workers."""
    rate: float = Field(default=1e-3, gt=0.0, le=10.0)
    """Adam's learning rate."""
    half_life: float = Field(default=0.0, ge=0.0, le=1e12)
    """Samples after which what was counts half in the running mean of weights; 0 is no mean."""
