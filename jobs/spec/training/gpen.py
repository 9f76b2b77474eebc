"""GPEN in a train job; see `operators.training.schedules.gpen`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.faces import Channels, Side, Template, Weight


class GpenModel(ModelBlock):
    """GPEN: an encoder in front of a StyleGAN2 (Yang et al., CVPR 2021)."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator", "decoder", "discriminator", "features")

    kind: Literal["gpen"]
    """Kind of model."""
    size: Side = 512
    """Pixels a side, a power of two from 8."""
    template: Template = "gpen"
    """Alignment of the faces."""
    style_dim: int = Field(default=512, ge=1, le=4096)
    """Length of the latent."""
    n_mlp: int = Field(default=8, ge=1, le=32)
    """Layers of the mapping network."""
    channel_multiplier: Channels = 2.0
    """Factor of the channels of resolutions from 64 on; 1 in GPEN-BFR-256."""
    narrow: Channels = 1.0
    """Factor of all channels; 0.5 in GPEN-BFR-256."""
    isconcat: bool = True
    """Whether encoder features stand beside the generator's; they are added otherwise."""
    skip: float | None = Field(default=None, ge=0.0, lt=1.0)
    """Share of the input in the output, the rest being the network's, which so learns what to change; null for a
    network without one."""
    opening: float | None = Field(default=None, ge=0.0, le=1.0)
    """Weight that the encoder's features begin with beside the decoder's; null is 1 where the decoder begins with
    nothing and no prior is trained, else 0, which is StyleGAN2's."""
    judge_multiplier: Channels = 2.0
    """The discriminator's channel_multiplier."""
    judge_narrow: Channels = 1.0
    """The discriminator's narrow."""


class GpenObjective(ObjectiveBlock):
    """Weight of each term of GPEN's objective; 0 leaves it out."""

    content: Weight = 1.0
    """L1 of pictures."""
    matching: Weight = 0.02
    """Features of the discriminator, L1."""
    adversarial: Weight = 1.0
    """The game with the discriminator; with 0 there is none, and neither matching, penalty nor a prior's phase."""
    perceptual: Weight = 0.0
    """Features of VGG-16, given as start.features, or of SFace."""
    identity: Weight = 0.0
    """Vectors of SFace, which tell people apart."""
    penalty: Weight = 10.0
    """The discriminator's gradient (R1), gamma."""
    path: Weight = 2.0
    """Path lengths of the prior."""


class GpenSchedule(CommonSchedule):
    """GPEN's three steps: train a prior, embed it as decoder, tune all on pairs."""

    prior_steps: int | None = Field(default=None, ge=0, le=1_000_000_000)
    """Steps of all, the first ones, that train the prior; null is half where nothing says what it starts as."""
    prior_rate: float = Field(default=2e-3, gt=0.0, le=10.0)
    """Learning rate of both networks while the prior is trained."""
    alone: int = Field(default=0, ge=0, le=1_000_000_000)
    """Steps of tuning, the first ones, without the discriminator."""
    decoder_share: float = Field(default=0.1, gt=0.0, le=100.0)
    """Share of the learning rate for the decoder; the encoder has all of it."""
    discriminator_share: float = Field(default=0.01, gt=0.0, le=100.0)
    """Share of the learning rate for the discriminator."""
    momentum: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Adam's first beta for encoder and decoder; muon has 0.95 for matrices, and this one for the rest."""
    optimizer: Literal["adam", "muon"] = "adam"
    """Of encoder and decoder while they are tuned: adam, or muon, whose rate is near 0.03 (divide
    discriminator_share)."""
    window: int = Field(default=0, ge=0, le=4096)
    """Pixels a side of the square, another in each step, that the perceptual term looks at; 0 is the whole face."""
    in_turn: bool = False
    """Whether the perceptual term counts in even steps and identity in odd ones, twice as much each, to save time."""
    every: int = Field(default=16, ge=1, le=1_000_000)
    """Steps between two penalties of the discriminator's gradient."""
    path_every: int = Field(default=4, ge=1, le=1_000_000)
    """Steps between two penalties of path lengths."""
    mixing: float = Field(default=0.9, ge=0.0, le=1.0)
    """Probability that a picture of the prior gets two latents."""
