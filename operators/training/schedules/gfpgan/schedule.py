"""GFPGAN's step: the generator against the whole face's discriminator and those of its components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.gfpgan.kit import CLEAN
from operators.networks.gfpgan.network import Gfpgan
from operators.networks.layout import unwrapped
from operators.training.contract import At, Tensors
from operators.training.discriminators.style import Discriminator
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.face_terms import FaceTerms
from operators.training.schedules.game import (
    Judge,
    fast,
    lazy,
    parted,
    placed,
    resume,
    running_mean,
    states,
    toward,
    weighted,
)
from operators.training.schedules.gfpgan.components import COMPONENTS, Components
from operators.training.schedules.gfpgan.options import Network, Objective, Schedule
from operators.training.schedules.gfpgan.settings import check
from operators.training.schedules.perception import FEATURES
from operators.training.schedules.prepared import Totals, begun, cast, check_names, drawn
from operators.training.terms.adversarial import logistic_generator
from operators.training.terms.content import absolute, pyramid
from operators.widths import widths

STARTS = ("generator", "prior", "discriminator", *COMPONENTS, FEATURES)
"""Networks that a training can begin with; the prior is that of a GFPGAN in the clean layout, alone or inside it."""

_DECODER = "stylegan_decoder"


class GfpganTraining:
    """A `Schedule`.

    Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior" (CVPR 2021), section 3.4.

    Args:
        given: what it is built from.

    Raises:
        ValueError: settings exclude each other, or weights to start with are not those of the networks described.
        operators.models.ModelFileError: SFace's file is missing or not the expected one.
    """

    def __init__(self, given: Given) -> None:
        network, objective, schedule = check(given)
        check_names(given.starts, STARTS)
        self._schedule = schedule
        self._hardware = given.hardware
        self._weights = {name: float(weight) for name, weight in vars(objective).items()}
        self._generator = placed(_generator(network, given), given.hardware)
        self._restored = fast(self._generator.with_pyramid, given.hardware)
        self._average = running_mean(self._generator, schedule)
        self._player = Player(_groups(self._generator, schedule), schedule.rate, (0.0, 0.99))
        self._judge = _judge(network, objective, schedule, given) if objective.adversarial else None
        self._components = Components(network, schedule.rate, given) if objective.component else None
        self._faces = FaceTerms(
            objective.perceptual,
            objective.identity,
            size=network.size,
            template=network.template,
            hardware=given.hardware,
            starts=given.starts,
        )

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Generator, its running mean, and the discriminators that there are."""
        found: dict[str, nn.Module] = {"generator": self._generator, "average": self._average.module}
        if self._judge is not None:
            found["discriminator"] = self._judge.module
        return found if self._components is None else {**found, **self._components.networks}

    @property
    def names(self) -> frozenset[str]:
        """Pairs."""
        return frozenset({"degraded", "truth"})

    @property
    def watched(self) -> str:
        """L1."""
        return "content"

    def phase(self, step: int) -> str:
        """There is one."""
        return ""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve all networks once: the generator first, then discriminators with what it made before that."""
        factor, totals, made = self._schedule.factor(at.step), Totals(), []
        parts = parted({name: batch[name] for name in self.names}, self._schedule.accumulate, self._hardware)
        self._player.begin()
        for part in parts:
            with cast(self._hardware):
                picture, smaller = self._restored(part["degraded"])
            picture = picture.float()
            terms = self._terms(at, picture, smaller, part["truth"])
            toward(self._player, weighted(terms, self._weights) / len(parts))
            made.append(picture.detach())
            totals.add(terms, 1 / len(parts))
        self._player.finish(factor)
        self._average.update(self._generator)
        return {**totals.terms, **self._judged(at, [part["truth"] for part in parts], made, factor)}

    def state(self) -> dict[str, Any]:
        """Of all players, and how many steps the mean has seen."""
        return {"players": states(self._players), "average": self._average.state()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        resume(self._players, state["players"])
        self._average.resume(state["average"])

    def slower(self, factor: float) -> None:
        """Multiply all learning rates from now on."""
        for player in self._players.values():
            player.slower(factor)

    @torch.no_grad()
    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """What the mean makes of a batch."""
        with cast(self._hardware):
            made = self._average.module(batch["degraded"])
        return {"degraded": batch["degraded"], "made": made.float(), "truth": batch["truth"]}

    def exports(self) -> Mapping[str, nn.Module]:
        """`generator`, in the clean layout."""
        return {"generator": self._average.module}

    @property
    def _players(self) -> dict[str, Player]:
        found = {"generator": self._player}
        if self._judge is not None:
            found["discriminator"] = self._judge.player
        return found if self._components is None else {**found, **self._components.players}

    def _terms(self, at: At, made: Tensor, smaller: list[Tensor], truth: Tensor) -> dict[str, Tensor]:
        """The generator's, by name."""
        terms = {"content": absolute(made, truth), **self._faces(at, made, truth)}
        if self._weights["pyramid"] and at.step < self._schedule.pyramid_steps:
            terms["pyramid"] = pyramid([one.float() for one in smaller], truth)
        if self._judge is not None:
            logits, _ = self._judge.judged(made)
            terms["adversarial"] = logistic_generator(logits)
        if self._components is not None:
            terms.update(self._components.terms(made, truth, style=self._weights["component_style"] > 0))
        return terms

    def _judged(self, at: At, real: list[Tensor], made: list[Tensor], factor: float) -> dict[str, Tensor]:
        """One step of each discriminator; their terms."""
        terms: dict[str, Tensor] = {}
        if self._judge is not None:
            terms["discriminator"] = self._judge.improve(real, made, factor)
            if self._weights["penalty"] and at.step % self._schedule.every == 0:
                weight = self._weights["penalty"] / 2 * self._schedule.every
                terms["penalty"] = self._judge.smooth(real, weight, factor)
        if self._components is not None:
            terms["component_discriminator"] = self._components.improve(real, made, factor)
        return terms


def _generator(network: Network, given: Given) -> Gfpgan:
    """Drawn, and then begun as `start` says: a whole GFPGAN first, a prior after it."""
    starts: dict[str, dict[str, Any]] = {
        name: dict(unwrapped(start)) for name, start in given.starts.items() if name in {"generator", "prior"}
    }
    stored = _stored(starts)
    generator = drawn(
        given.seed,
        lambda: Gfpgan(
            network.size,
            kit=CLEAN,
            num_style_feat=network.num_style_feat,
            channel_multiplier=network.channel_multiplier,
            num_mlp=network.num_mlp,
            narrow=network.narrow,
            sft_half=network.sft_half,
            stored_noise=stored,
        ),
    )
    if "generator" in starts:
        begun(generator, "generator", starts["generator"])
    if "prior" in starts:
        begun(generator.stylegan_decoder, "prior", _inside(starts["prior"]))
    return generator


def _inside(start: Mapping[str, Any]) -> dict[str, Any]:
    """The prior of a GFPGAN, or one that stands alone."""
    prefix = f"{_DECODER}."
    return {name.removeprefix(prefix): one for name, one in start.items() if name.startswith(prefix)} or dict(start)


def _stored(starts: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether noise is part of the network: as in what it begins with, and otherwise it is."""
    return not starts or any("noises.noise0" in name for start in starts.values() for name in start)


def _groups(generator: Gfpgan, schedule: Schedule) -> list[tuple[nn.Module, float]]:
    """The U-Net with all that guides the prior, and the prior where it is tuned."""
    around = nn.ModuleList(module for name, module in generator.named_children() if name != _DECODER)
    if schedule.prior == "frozen":
        generator.stylegan_decoder.requires_grad_(False)
        return [(around, 1.0)]
    return [(around, 1.0), (generator.stylegan_decoder, schedule.prior_share)]


def _judge(network: Network, objective: Objective, schedule: Schedule, given: Given) -> Judge:
    """The discriminator of the whole face."""
    channels = widths(network.size, network.judge_multiplier, network.judge_narrow)
    module = drawn(given.seed + 1, lambda: Discriminator(channels))
    if "discriminator" in given.starts:
        begun(module, "discriminator", dict(unwrapped(given.starts["discriminator"])))
    rate, betas = lazy(schedule.rate, 0.0, schedule.every if objective.penalty else 0)
    return Judge(placed(module, given.hardware), Player([(module, 1.0)], rate, betas), given.hardware)
