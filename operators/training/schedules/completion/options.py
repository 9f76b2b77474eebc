"""Settings of a training of face completion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common

SMALLEST, LARGEST = 4, 4096
Game = Literal["wasserstein", "logistic"]


@dataclass(frozen=True)
class Network:
    """Both networks.

    Attributes:
        size: pixels a side at full growth, a power of two from 4; the paper has 256, 512 and 1024.
        channels: of both networks at 4, 8, ... pixels; None for PGGAN's, at most 512.
        conditional: residual blocks on the generator's skips; None has them where there are attributes.

    Raises:
        ValueError: the size is no power of two from 4 to 4096, or there is not one channel or more for each level.
    """

    size: int = 256
    channels: tuple[int, ...] | None = None
    conditional: bool | None = None

    def __post_init__(self) -> None:
        _check_size("size", self.size)
        levels = self.size.bit_length() - 2
        if self.channels is not None and (len(self.channels) != levels or min(self.channels) < 1):
            raise ValueError(f"channels: {list(self.channels)}; expected {levels} counts from 1, for 4 to {self.size}")


@dataclass(frozen=True)
class Objective:
    """Weights of the terms, which are means; those of the paper, as a public reimplementation quotes them.

    Attributes:
        game: Wasserstein's with its penalty, as PGGAN plays it, or the logistic one with R1.
        adversarial: of the generator's side of the game; 0 leaves the game out.
        penalty: lambda of the gradient penalty, or gamma of R1, half of which is the weight.
        penalty_every: steps between two penalties, each weighted with as much.
        drift: of E[D(real)^2], which keeps Wasserstein's critic near 0 (PGGAN, appendix A.1).
        attributes: lambda_attr, of both networks: on real faces for the discriminator, on completed ones for the
            generator.
        reconstruction: lambda_rec.
        inside: alpha of the reconstruction, what the hole counts; the rest of the face has 1 - alpha.
        feature: lambda_feat.
        boundary: lambda_bdy.
        radius: of the mean filter that makes the boundary's weights, pixels of the size in training: 7 a side for 3.
        flipped_truth: whether the truth counts in the hole of a face that is asked for another attribute than it has,
            as the paper's equations have it; without it such holes follow the two networks' game alone.

    Raises:
        ValueError: a weight is negative, none counts, alpha is no share, or a count is below 1.
    """

    game: Game = "wasserstein"
    adversarial: float = 1.0
    penalty: float = 10.0
    penalty_every: int = 1
    drift: float = 0.001
    attributes: float = 2.0
    reconstruction: float = 500.0
    inside: float = 0.7
    feature: float = 10.0
    boundary: float = 5000.0
    radius: int = 3
    flipped_truth: bool = True

    def __post_init__(self) -> None:
        if self.game not in ("wasserstein", "logistic"):
            raise ValueError(f"game: {self.game!r}; expected wasserstein or logistic")
        for name in ("adversarial", "penalty", "drift", "attributes", "reconstruction", "feature", "boundary"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: {getattr(self, name)}; expected a weight from 0")
        if not self.adversarial + self.attributes + self.reconstruction + self.feature + self.boundary:
            raise ValueError("no term counts; give one of them a weight")
        if not 0 <= self.inside <= 1:
            raise ValueError(f"inside: {self.inside}; expected a share from 0 to 1")
        if self.penalty_every < 1 or self.radius < 0:
            raise ValueError(f"penalty_every: {self.penalty_every}, radius: {self.radius}; expected from 1, and from 0")


@dataclass(frozen=True)
class Schedule(Common):
    """Steps and growth, with PGGAN's settings.

    Attributes:
        first: pixels a side at which training begins; the network's own size does not grow.
        fading: samples over which a new size is faded in.
        steady: samples that a size is trained with before the next.
        fresh: whether Adam's moments are forgotten where a size is added, as in PGGAN's code.
        history: completed faces that are kept and shown to the discriminator again; emptied where a size is added. They
            are part of a checkpoint: 0.8 MB each at 256 pixels, 12.6 MB at 1024.

    Raises:
        ValueError: a size or a count cannot be.
    """

    steps: int = 500_000
    batch: int = 16
    rate: float = 1e-3
    first: int = SMALLEST
    fading: int = 600_000
    steady: int = 600_000
    fresh: bool = True
    history: int = 50

    def __post_init__(self) -> None:
        _check_size("first", self.first)
        if self.fading < 1 or self.steady < 1 or self.history < 0:
            raise ValueError(
                f"fading: {self.fading}, steady: {self.steady}, history: {self.history}; "
                "expected samples from 1, and pictures from 0"
            )


def check_growth(network: Network, schedule: Schedule) -> None:
    """Refuse a training that ends before the network is grown.

    Raises:
        ValueError: says how many steps it takes, or that the first size is the larger.
    """
    if schedule.first > network.size:
        raise ValueError(f"first: {schedule.first} pixels; expected at most the network's size, {network.size}")
    doublings = network.size.bit_length() - schedule.first.bit_length()
    takes = doublings * (schedule.fading + schedule.steady)
    if (schedule.steps - 1) * schedule.batch < takes:
        raise ValueError(
            f"steps: {schedule.steps} with {schedule.batch} samples each; growing from {schedule.first} to "
            f"{network.size} pixels takes {-(-takes // schedule.batch) + 1} steps or more: raise `steps`, or lower "
            "`fading` and `steady`"
        )


def _check_size(name: str, size: int) -> None:
    if not SMALLEST <= size <= LARGEST or size & (size - 1):
        raise ValueError(f"{name}: {size}; expected a power of two from {SMALLEST} to {LARGEST}")
