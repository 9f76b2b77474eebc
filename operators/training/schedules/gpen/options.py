"""Settings of GPEN's training; defaults are those of Yang et al. (CVPR 2021) and of its released code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common
from operators.training.schedules.face_limits import check_size, check_template, check_weights, check_widths


@dataclass(frozen=True)
class Network:
    """Generator and discriminator.

    Attributes:
        size: pixels a side, a power of two from 8.
        template: alignment of the faces, for the identity term.
        style_dim: length of the latent.
        n_mlp: layers of the mapping network.
        channel_multiplier: of resolutions from 64 on; 1 in GPEN-BFR-256.
        narrow: of all resolutions; 0.5 in GPEN-BFR-256.
        isconcat: encoder features stand beside the generator's; they are added otherwise.
        skip: share of the input in the output, 0 to below 1, the rest being the network's; None for a network
            without one.
        opening: what the weights begin with by which the encoder's features come to stand beside the decoder's. None is
            1 where the decoder begins with nothing and no prior is trained, else 0 as in StyleGAN2.
        judge_multiplier: as `channel_multiplier`, of the discriminator.
        judge_narrow: as `narrow`, of the discriminator.
    """

    size: int = 512
    template: str = "gpen"
    style_dim: int = 512
    n_mlp: int = 8
    channel_multiplier: float = 2.0
    narrow: float = 1.0
    isconcat: bool = True
    skip: float | None = None
    opening: float | None = None
    judge_multiplier: float = 2.0
    judge_narrow: float = 1.0

    def __post_init__(self) -> None:
        check_size(self.size)
        check_template(self.template)
        check_widths(self.size, self.channel_multiplier, self.narrow)
        check_widths(self.size, self.judge_multiplier, self.judge_narrow, "judge_narrow")
        if self.skip is not None and not 0 <= self.skip < 1:
            raise ValueError(f"model.skip is {self.skip}; expected 0 to below 1: the rest is the network's share")
        if self.opening is not None and not 0 <= self.opening <= 1:
            raise ValueError(f"model.opening is {self.opening}; expected 0, for closed, to 1")


@dataclass(frozen=True)
class Objective:
    """Weight of each term.

    Attributes:
        content: L_C, L1 of pictures in [-1, 1]; alpha.
        matching: L_F, features of the discriminator; beta.
        adversarial: L_A, the generator's side of the logistic game. With 0 there is no discriminator, and with it
            neither `matching` nor `penalty` nor a phase of the prior.
        perceptual: distance of a feature network's maps; not in the paper.
        identity: 1 - cosine of SFace's vectors; not in the paper.
        penalty: gamma of R1, the discriminator's.
        path: path length, the prior's.
    """

    content: float = 1.0
    matching: float = 0.02
    adversarial: float = 1.0
    perceptual: float = 0.0
    identity: float = 0.0
    penalty: float = 10.0
    path: float = 2.0

    def __post_init__(self) -> None:
        check_weights(self)
        if not self.content + self.adversarial + self.perceptual + self.identity:
            raise ValueError("objective: all terms of the generator have weight 0; expected one at least above it")


@dataclass(frozen=True)
class Schedule(Common):
    """Order and pace of the three steps.

    Attributes:
        prior_steps: the first so many of all steps train the prior alone, a StyleGAN2 on good faces. None is half of
            all where `start` gives neither generator nor decoder and there is a discriminator, and none otherwise.
        prior_rate: learning rate of both networks in them.
        alone: steps of tuning, the first ones, without the game: content, perception and identity only.
        decoder_share: of the learning rate, for the decoder; the encoder has all of it.
        discriminator_share: likewise, for the discriminator.
        momentum: Adam's first beta for encoder and decoder; with `muon` of what is no matrix.
        optimizer: of encoder and decoder while they are tuned, `adam` or `muon`.
        window: pixels a side of the square, another in each step, that `perceptual` looks at; 0 is the whole face.
        in_turn: `perceptual` counts in the even steps of a training and `identity` in the odd ones, twice as much each.
        every: steps between two penalties R1, each weighted with as much (lazy regularisation).
        path_every: likewise, of path lengths.
        mixing: probability that a picture of the prior gets two latents, one below and one above a layer.
    """

    prior_steps: int | None = None
    prior_rate: float = 2e-3
    alone: int = 0
    decoder_share: float = 0.1
    discriminator_share: float = 0.01
    momentum: float = 0.0
    optimizer: Literal["adam", "muon"] = "adam"
    window: int = 0
    in_turn: bool = False
    every: int = 16
    path_every: int = 4
    mixing: float = 0.9

    def __post_init__(self) -> None:
        if self.prior_steps is not None and self.prior_steps < 0:
            raise ValueError(f"schedule.prior_steps is {self.prior_steps}; expected 0 or more")
        if min(self.decoder_share, self.discriminator_share, self.prior_rate) <= 0:
            raise ValueError("schedule: decoder_share, discriminator_share and prior_rate: expected numbers above 0")
        if self.alone < 0 or min(self.every, self.path_every) < 1:
            raise ValueError("schedule: expected 0 or more steps for alone, 1 or more for every and path_every")
        if self.optimizer not in ("adam", "muon"):
            raise ValueError(f"schedule.optimizer is {self.optimizer!r}; expected adam or muon")
        if not (0 <= self.momentum < 1 and 0 <= self.mixing <= 1):
            raise ValueError("schedule: expected momentum from 0 to below 1 and mixing from 0 to 1")
