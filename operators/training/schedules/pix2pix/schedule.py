"""How pix2pix is trained: L1, and a game about pairs of what was given and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.pix2pix.network import Pix2Pix
from operators.training.contract import At, Tensors
from operators.training.discriminators.patch import PatchDiscriminator
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.game import fast, parted, resume, states, toward, weighted
from operators.training.schedules.perception import resting
from operators.training.schedules.pix2pix.dropout import Dropouts
from operators.training.schedules.pix2pix.options import Network, Objective, Schedule
from operators.training.schedules.prepared import Module, RunningMean, Totals, begun, cast, check_names, drawn, placed
from operators.training.synced import synced
from operators.training.terms.adversarial import (
    least_squares_discriminator,
    least_squares_generator,
    logistic_discriminator,
    logistic_generator,
)
from operators.training.terms.content import absolute

BETAS = (0.5, 0.999)
_CHANNELS = 3
_DEVIATION = 0.02
"""Of the weights at the beginning (appendix 6.2)."""


class Pix2PixSchedule:
    """pix2pix in training.

    The generator takes its step first, and the discriminator then sees what was made in it; so each picture is made
    once. The discriminator's objective is halved (section 3.3), which slows it down.

    Args:
        given: settings of `options`; `starts` may have `generator` and `discriminator`.

    Raises:
        ValueError: a start is not of the network that is described.
    """

    names = frozenset({"degraded", "truth"})
    watched = "content"

    def __init__(self, given: Given) -> None:
        assert isinstance(given.schedule, Schedule)
        network: Network = given.network
        self._objective: Objective = given.objective
        self._settings = given.schedule
        self._hardware = given.hardware
        check_names(given.starts, ("generator", "discriminator"))
        self.generator = drawn(given.seed, lambda: _generator(network))
        self.judge = drawn(given.seed + 1, lambda: _judge(network)) if self._objective.adversarial else None
        self._dropouts = Dropouts(self.generator, _CHANNELS)
        for name, module in self._trained().items():
            if name in given.starts:
                begun(module, name, given.starts[name])
            placed(module, self._hardware)
        self._translate = fast(self.generator, self._hardware)
        self._maker = Player([(self.generator, 1.0)], self._settings.rate, BETAS)
        self._average = None
        if self._settings.half_life > 0:
            self._average = RunningMean(self.generator, self._settings.half_life, self._settings.batch)
        if self.judge is not None:
            self._judged = fast(self.judge, self._hardware)
            self._critic = Player([(self.judge, 1.0)], self._settings.rate, BETAS)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Generator, and where there are any, discriminator and running mean."""
        return self._trained() | ({} if self._average is None else {"average": self._average.module})

    def phase(self, step: int) -> str:
        """There is one."""
        return ""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve the generator, and the discriminator after it.

        Args:
            at: where the training is.
            batch: `degraded` and `truth`, (N, 3, size, size).

        Returns:
            `content`; `adversarial` and `discriminator`, if they have a weight.
        """
        factor, count = self._settings.factor(at.step), self._settings.accumulate
        weights = {"content": self._objective.content, "adversarial": self._objective.adversarial}
        totals, seen = Totals(), []
        drops = self._dropouts.draw(at.draws, batch["degraded"], count)
        self._maker.begin()
        for part, dropped in zip(parted(batch, count, self._hardware), drops, strict=True):
            self._dropouts.use(dropped)
            with cast(self._hardware):
                made = self._translate(part["degraded"]).float()
            terms = self._terms(part, made)
            totals.add(terms, 1 / count)
            toward(self._maker, weighted(terms, weights) / count)
            seen.append((part, made.detach()))
        self._dropouts.forget()
        self._maker.finish(factor)
        if self.judge is not None:
            self._critic.begin()
            for part, made in seen:
                loss = self._discriminator(part, made)
                totals.add({"discriminator": loss}, 1 / count)
                toward(self._critic, loss / count)
            self._critic.finish(factor)
        if self._average is not None:
            self._average.update(self.generator)
        return totals.terms

    def state(self) -> dict[str, Any]:
        """Optimisers, and how much the running mean has seen."""
        found = states(self._players())
        return found if self._average is None else found | {"average": self._average.state()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        resume(self._players(), state)
        if self._average is not None:
            self._average.resume(state["average"])

    def slower(self, factor: float) -> None:
        """Multiply both learning rates from now on."""
        for player in self._players().values():
            player.slower(factor)

    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """`given`; `made` by what is exported, without dropout; `truth`."""
        network = self.exports()["generator"]
        with resting(network), cast(self._hardware):
            made = network(batch["degraded"]).float()
        return {"given": batch["degraded"], "made": made, "truth": batch["truth"]}

    def exports(self) -> Mapping[str, nn.Module]:
        """The generator, its running mean where there is one."""
        return {"generator": self.generator if self._average is None else self._average.module}

    def _trained(self) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {"generator": self.generator}
        return found if self.judge is None else found | {"discriminator": self.judge}

    def _players(self) -> dict[str, Player]:
        found = {"generator": self._maker}
        return found if self.judge is None else found | {"discriminator": self._critic}

    def _terms(self, part: Tensors, made: Tensor) -> dict[str, Tensor]:
        """What the generator minimises, unweighted."""
        terms = {"content": absolute(made, part["truth"])}
        if self.judge is not None:
            term = logistic_generator if self._objective.game == "logistic" else least_squares_generator
            terms["adversarial"] = term(self._opinion(part["degraded"], made))
        return terms

    def _discriminator(self, part: Tensors, made: Tensor) -> Tensor:
        """What the discriminator minimises."""
        real, fake = self._opinion(part["degraded"], part["truth"]), self._opinion(part["degraded"], made)
        if self._objective.game == "logistic":
            return logistic_discriminator(real, fake) / 2
        return least_squares_discriminator(real, fake)

    def _opinion(self, given: Tensor, picture: Tensor) -> Tensor:
        """Of the picture as what becomes of the given one, by patch."""
        with cast(self._hardware):
            logits: Tensor = self._judged(torch.cat([given, picture], 1))
        return logits.float()


def _generator(network: Network) -> Pix2Pix:
    made = Pix2Pix(
        _CHANNELS,
        _CHANNELS,
        num_downs=network.levels,
        ngf=network.width,
        norm=network.norm,
        use_dropout=network.dropout,
    )
    return synced(_begun_small(made))


def _judge(network: Network) -> PatchDiscriminator:
    made = PatchDiscriminator(2 * _CHANNELS, network.judge_width, network.judge_layers, network.norm)
    return synced(_begun_small(made))


def _begun_small(module: Module) -> Module:
    """The module with weights of convolutions from N(0, 0.02), those of normalisations from N(1, 0.02), biases 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(part.weight, 0.0, _DEVIATION)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, _DEVIATION)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d) and part.bias is not None:
            nn.init.zeros_(part.bias)
    return module
