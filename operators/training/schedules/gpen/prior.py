"""GPEN's first step: its generator as a StyleGAN2, trained on good faces alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from operators.networks.gpen.network import Generator
from operators.training.contract import At, Hardware, Tensors
from operators.training.discriminators.style import Discriminator
from operators.training.player import Player, averaged
from operators.training.schedules.game import Judge, fast, lazy, parted, resume, states, toward
from operators.training.schedules.gpen.latents import Latents
from operators.training.schedules.gpen.options import Network, Objective, Schedule
from operators.training.schedules.prepared import cast
from operators.training.terms.adversarial import logistic_generator, path_length, path_lengths

_FOLLOWING = 0.01
"""Share of a step's mean length in the running one (StyleGAN2's code)."""


class Prior:
    """The game of StyleGAN2 (Karras et al. 2020, appendix B): logistic, R1 and path lengths now and then.

    Args:
        generator: mapping and synthesis network.
        discriminator: that it plays against.
        network: settings.
        objective: likewise.
        schedule: likewise.
        hardware: what it runs on.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        network: Network,
        objective: Objective,
        schedule: Schedule,
        hardware: Hardware,
    ) -> None:
        self._objective = objective
        self._schedule = schedule
        self._hardware = hardware
        self.latents = Latents(generator, network.style_dim, schedule.mixing, hardware)
        self._made = fast(self.latents.made, hardware)
        rate, betas = lazy(schedule.prior_rate, 0.0, schedule.path_every if objective.path else 0)
        self._player = Player([(generator, 1.0)], rate, betas)
        rate, betas = lazy(schedule.prior_rate, 0.0, schedule.every if objective.penalty else 0)
        self._judge = Judge(discriminator, Player([(discriminator, 1.0)], rate, betas), hardware)
        self._players = {"generator": self._player, "discriminator": self._judge.player}
        self._usual = torch.zeros((), device=hardware.device)

    def step(self, at: At, batch: Tensors, factor: float) -> dict[str, Tensor]:
        """Improve both networks once, with `truth` of the batch and a factor of their rates; the terms by name."""
        count, parts = len(batch["truth"]), self._schedule.accumulate
        real = [part["truth"] for part in parted({"truth": batch["truth"]}, parts, self._hardware)]
        weights = self._objective
        with torch.no_grad():
            made = [self._pictures(at, "judged", count, part) for part in range(parts)]
        terms = {"discriminator": self._judge.improve(real, made, factor)}
        if weights.penalty and at.step % self._schedule.every == 0:
            terms["penalty"] = self._judge.smooth(real, weights.penalty / 2 * self._schedule.every, factor)
        terms["adversarial"] = self._improve(at, count, factor)
        if weights.path and at.step % self._schedule.path_every == 0:
            terms["path"] = self._smooth(at, count, factor)
        return terms

    def slower(self, factor: float) -> None:
        """Multiply the learning rates from now on."""
        for player in self._players.values():
            player.slower(factor)

    def forget(self) -> None:
        """Let go of what the optimisers remember, when the prior is done."""
        for player in self._players.values():
            player.begin()
            player.optimiser.state.clear()

    def state(self) -> dict[str, Any]:
        """Of both players, and the usual path length."""
        return {"players": states(self._players), "usual": self._usual.clone()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        resume(self._players, state["players"])
        self._usual.copy_(state["usual"])

    def _pictures(self, at: At, name: str, count: int, part: int) -> Tensor:
        drawn = self.latents.drawn(at.draws, name, count, part, self._schedule.accumulate)
        with cast(self._hardware):
            return self._made(self.latents.mapped(drawn), drawn.noises).float()

    def _improve(self, at: At, count: int, factor: float) -> Tensor:
        """One step of the generator's side; its term."""
        parts, terms = self._schedule.accumulate, []
        self._player.begin()
        for part in range(parts):
            logits, _ = self._judge.judged(self._pictures(at, "shown", count, part))
            term = logistic_generator(logits)
            toward(self._player, term / parts)
            terms.append(term.detach())
        self._player.finish(factor)
        return torch.stack(terms).mean()

    def _smooth(self, at: At, count: int, factor: float) -> Tensor:
        """One step of path lengths, in float32; its term."""
        parts, terms, lengths = self._schedule.accumulate, [], []
        self._player.begin()
        for part in range(parts):
            drawn = self.latents.drawn(at.draws, "path", count, part, parts)
            latents = self.latents.mapped(drawn)
            pictures = self.latents.made(latents, drawn.noises)
            noise = at.draws.normal("path noise", count, *pictures.shape[1:], like=pictures)[part::parts]
            found = path_lengths(pictures, latents, noise)
            term = path_length(found, self._usual)
            toward(self._player, term * (self._objective.path * self._schedule.path_every / parts))
            terms.append(term.detach())
            lengths.append(found.detach().mean())
        self._player.finish(factor)
        mean = torch.stack(lengths).mean()
        averaged([mean])
        self._usual.lerp_(mean, _FOLLOWING)
        return torch.stack(terms).mean()
