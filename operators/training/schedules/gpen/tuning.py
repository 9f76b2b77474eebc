"""GPEN's third step: encoder, decoder and discriminator on pairs of degraded and good faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.gpen.network import Gpen
from operators.training.contract import At, Hardware, Tensors
from operators.training.discriminators.style import Discriminator
from operators.training.player import Player
from operators.training.schedules.face_terms import FaceTerms
from operators.training.schedules.game import Judge, fast, lazy, parted, resume, states, toward, weighted
from operators.training.schedules.gpen.options import Objective, Schedule
from operators.training.schedules.prepared import Totals, cast
from operators.training.terms.adversarial import logistic_generator
from operators.training.terms.content import absolute, feature_matching

_TURNS = 2
"""Terms that count in turn, each in every second step and so much more."""


class Tuning:
    """L = L_A + alpha L_C + beta L_F (Yang et al. 2021, section 3.3), and what else has a weight.

    Args:
        generator: the whole of GPEN.
        discriminator: None where nothing is played.
        faces: the terms of feature networks.
        objective: settings.
        schedule: likewise.
        hardware: what it runs on.
    """

    def __init__(
        self,
        generator: Gpen,
        discriminator: Discriminator | None,
        faces: FaceTerms,
        objective: Objective,
        schedule: Schedule,
        hardware: Hardware,
    ) -> None:
        self._restored = fast(generator.forward, hardware)
        self._faces = faces
        self._weights = {name: float(weight) for name, weight in vars(objective).items()}
        if schedule.in_turn:
            self._weights.update({name: _TURNS * self._weights[name] for name in ("perceptual", "identity")})
        self._schedule = schedule
        self._hardware = hardware
        groups = [(encoder_of(generator), 1.0), (generator.generator, schedule.decoder_share)]
        self._player = Player(groups, schedule.rate, (schedule.momentum, 0.99), schedule.optimizer)
        self._players = {"generator": self._player}
        self._judge: Judge | None = None
        if discriminator is not None:
            rate, betas = lazy(schedule.rate, 0.0, schedule.every if objective.penalty else 0)
            self._players["discriminator"] = Player([(discriminator, schedule.discriminator_share)], rate, betas)
            self._judge = Judge(discriminator, self._players["discriminator"], hardware)

    def step(self, at: At, batch: Tensors, factor: float, playing: bool) -> dict[str, Tensor]:
        """Improve all networks once.

        Args:
            at: where the training is.
            batch: `degraded` and `truth`.
            factor: of the learning rates.
            playing: whether the discriminator takes part.
        """
        judge = self._judge if playing else None
        parts = parted({name: batch[name] for name in ("degraded", "truth")}, self._schedule.accumulate, self._hardware)
        totals, made = Totals(), []
        self._player.begin()
        for part in parts:
            with cast(self._hardware):
                picture = self._restored(part["degraded"])
            made.append(picture.float())
            terms = self._terms(at, made[-1], part["truth"], judge)
            toward(self._player, weighted(terms, self._weights) / len(parts))
            made[-1] = made[-1].detach()
            totals.add(terms, 1 / len(parts))
        self._player.finish(factor)
        terms = totals.terms
        if judge is not None:
            real = [part["truth"] for part in parts]
            terms["discriminator"] = judge.improve(real, made, factor)
            if self._weights["penalty"] and at.step % self._schedule.every == 0:
                weight = self._weights["penalty"] / 2 * self._schedule.every
                terms["penalty"] = judge.smooth(real, weight, factor)
        return terms

    def slower(self, factor: float) -> None:
        """Multiply the learning rates from now on."""
        for player in self._players.values():
            player.slower(factor)

    def state(self) -> dict[str, Any]:
        """Of all players."""
        return states(self._players)

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        resume(self._players, state)

    def _terms(self, at: At, made: Tensor, truth: Tensor, judge: Judge | None) -> dict[str, Tensor]:
        """The generator's, by name."""
        terms = {"content": absolute(made, truth), **self._faces(at, made, truth)}
        if judge is not None:
            logits, seen = judge.judged(made)
            terms["adversarial"] = logistic_generator(logits)
            if self._weights["matching"]:
                with torch.no_grad():
                    _, expected = judge.judged(truth)
                terms["matching"] = feature_matching(seen, expected)
        return terms


def encoder_of(generator: Gpen) -> nn.ModuleList:
    """All of GPEN that is not the embedded generator."""
    return nn.ModuleList(module for name, module in generator.named_children() if name != "generator")
