"""Settings of GFPGAN's training; defaults are those of Wang et al. (CVPR 2021) and of its released code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common
from operators.training.schedules.face_limits import check_size, check_template, check_weights, check_widths


@dataclass(frozen=True)
class Network:
    """Generator, in the clean layout, and discriminators.

    Attributes:
        size: pixels a side, a power of two from 8; from 32 where there are discriminators of components.
        template: alignment of the faces; it says where eyes and mouth are.
        num_style_feat: length of a latent.
        num_mlp: layers of the mapping network, which stands in the file and does nothing.
        channel_multiplier: of resolutions from 64 on.
        narrow: of all resolutions.
        sft_half: only half of the generator's channels are transformed.
        judge_multiplier: as `channel_multiplier`, of the discriminator.
        judge_narrow: as `narrow`, of the discriminator.
        component_width: channels of the first layer of the components' discriminators.
    """

    size: int = 512
    template: str = "ffhq"
    num_style_feat: int = 512
    num_mlp: int = 8
    channel_multiplier: float = 2.0
    narrow: float = 1.0
    sft_half: bool = True
    judge_multiplier: float = 1.0
    judge_narrow: float = 1.0
    component_width: int = 64

    def __post_init__(self) -> None:
        check_size(self.size)
        check_template(self.template)
        check_widths(self.size, self.channel_multiplier, self.narrow, even=self.sft_half)
        # The U-Net has half the generator's channels.
        check_widths(self.size, self.channel_multiplier, self.narrow, share=0.5)
        check_widths(self.size, self.judge_multiplier, self.judge_narrow, "judge_narrow")
        if self.component_width < 1:
            raise ValueError(f"model.component_width is {self.component_width}; expected 1 or more")


@dataclass(frozen=True)
class Objective:
    """Weight of each term.

    Attributes:
        content: L1 of pictures in [-1, 1].
        pyramid: L1 of the U-Net's own pictures at all sizes from 8.
        perceptual: distance of a feature network's maps.
        adversarial: the generator's side of the logistic game; with 0 there is no discriminator of the whole face.
        component: likewise, of left eye, right eye and mouth, added; with 0 there are no discriminators of these.
        component_style: how Gram matrices of the components' features differ, added; none where `component` is 0.
        identity: 1 - cosine of SFace's vectors.
        penalty: gamma of R1, of the whole face's discriminator.
    """

    content: float = 0.1
    pyramid: float = 1.0
    perceptual: float = 1.0
    adversarial: float = 0.1
    component: float = 1.0
    component_style: float = 200.0
    identity: float = 10.0
    penalty: float = 10.0

    def __post_init__(self) -> None:
        check_weights(self)
        if not self.content + self.pyramid + self.perceptual + self.adversarial + self.component + self.identity:
            raise ValueError("objective: all terms of the generator have weight 0; expected one at least above it")


@dataclass(frozen=True)
class Schedule(Common):
    """Order and pace.

    Attributes:
        steps: in all.
        batch: samples of a step over all workers.
        prior: the StyleGAN2 inside, `frozen` as it was given or `tuned` with the rest.
        prior_share: of the learning rate, for a prior that is tuned.
        pyramid_steps: after so many the U-Net's own pictures do not count any more.
        every: steps between two penalties R1, each weighted with as much (lazy regularisation).
    """

    steps: int = 800_000
    batch: int = 12
    prior: Literal["frozen", "tuned"] = "frozen"
    prior_share: float = 1.0
    pyramid_steps: int = 50_000
    every: int = 16

    def __post_init__(self) -> None:
        if self.prior not in ("frozen", "tuned"):
            raise ValueError(f"schedule.prior is {self.prior!r}; expected frozen or tuned")
        if self.prior_share <= 0 or self.pyramid_steps < 0 or self.every < 1:
            raise ValueError("schedule: expected prior_share above 0, pyramid_steps of 0 or more, every of 1 or more")
