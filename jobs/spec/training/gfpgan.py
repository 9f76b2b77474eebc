"""GFPGAN in a train job; see `operators.training.schedules.gfpgan`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.faces import Channels, Side, Template, Weight


class GfpganModel(ModelBlock):
    """GFPGAN: a U-Net that guides a StyleGAN2 (Wang et al., CVPR 2021), in the clean layout."""

    STARTS: ClassVar[tuple[str, ...]] = (
        "generator",
        "prior",
        "discriminator",
        "left_eye",
        "right_eye",
        "mouth",
        "features",
    )

    kind: Literal["gfpgan"]
    """Kind of model."""
    size: Side = 512
    """Pixels a side, a power of two from 8; from 32 with components or a perceptual term."""
    template: Template = "ffhq"
    """Alignment of the faces; it says where eyes and mouth are."""
    num_style_feat: int = Field(default=512, ge=1, le=4096)
    """Length of a latent."""
    num_mlp: int = Field(default=8, ge=1, le=32)
    """Layers of the mapping network, which stands in the file and does nothing."""
    channel_multiplier: Channels = 2.0
    """Factor of the channels of resolutions from 64 on."""
    narrow: Channels = 1.0
    """Factor of all channels."""
    sft_half: bool = True
    """Whether only half of the generator's channels are transformed."""
    judge_multiplier: Channels = 1.0
    """The discriminator's channel_multiplier."""
    judge_narrow: Channels = 1.0
    """The discriminator's narrow."""
    component_width: int = Field(default=64, ge=1, le=1024)
    """Channels of the first layer of the discriminators of eyes and mouth."""


class GfpganObjective(ObjectiveBlock):
    """Weight of each term of GFPGAN's objective; 0 leaves it out."""

    content: Weight = 0.1
    """L1 of pictures."""
    pyramid: Weight = 1.0
    """L1 of the U-Net's own pictures at all sizes from 8."""
    perceptual: Weight = 1.0
    """Features of VGG-16, given as start.features, or of SFace."""
    adversarial: Weight = 0.1
    """The game with the discriminator of the whole face; with 0 there is none."""
    component: Weight = 1.0
    """The games with the discriminators of eyes and mouth; with 0 there are none."""
    component_style: Weight = 200.0
    """Gram matrices of their features."""
    identity: Weight = 10.0
    """Vectors of SFace, which tell people apart."""
    penalty: Weight = 10.0
    """The gradient of the whole face's discriminator (R1), gamma."""


class GfpganSchedule(CommonSchedule):
    """GFPGAN's steps: generator and discriminators in turn."""

    steps: int = Field(default=800_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=12, ge=1, le=65_536)
    """Samples of a step over all workers."""
    prior: Literal["frozen", "tuned"] = "frozen"
    """Whether the StyleGAN2 inside stays as it was given or is tuned with the rest."""
    prior_share: float = Field(default=1.0, gt=0.0, le=100.0)
    """Share of the learning rate for a prior that is tuned."""
    pyramid_steps: int = Field(default=50_000, ge=0, le=1_000_000_000)
    """Steps after which the U-Net's own pictures do not count any more."""
    every: int = Field(default=16, ge=1, le=1_000_000)
    """Steps between two penalties of the discriminator's gradient."""
