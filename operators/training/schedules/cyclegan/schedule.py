"""The training of CycleGAN: two generators that undo each other, each against a discriminator of patches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from operators.training.contract import At, Tensors
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.cyclegan.drawing import discriminator, generator
from operators.training.schedules.cyclegan.objective import (
    Call,
    Made,
    Networks,
    game_terms,
    translation_terms,
    weights,
)
from operators.training.schedules.cyclegan.options import Network, Objective, Schedule
from operators.training.schedules.prepared import (
    RunningMean,
    Totals,
    backward,
    begun,
    cast,
    check_names,
    drawn,
    laid,
    parts,
    placed,
)
from operators.training.shared_history import SharedHistory

GENERATORS = ("to_second", "to_first")
JUDGES = ("judge_first", "judge_second")
_BETAS = (0.5, 0.999)
_MULTIPLE = 4


class Cycle:
    """CycleGAN in training; a `contract.Schedule`.

    In a step the generators are improved first, then the discriminators against what the generators had made, as in
    the authors' code. Nothing depends on a batch's statistics: all networks have instance normalisation.

    Args:
        given: `network`, `objective` and `schedule` of this package's options; `starts` for any of `to_second`,
            `to_first`, `judge_first` and `judge_second`.

    Raises:
        ValueError: a start does not fit.
    """

    def __init__(self, given: Given) -> None:
        network, objective, settings = given.network, given.objective, given.schedule
        if not (isinstance(network, Network) and isinstance(objective, Objective) and isinstance(settings, Schedule)):
            raise TypeError("expected settings of CycleGAN")
        check_names(given.starts, GENERATORS + JUDGES)
        self._objective, self._settings, self._hardware = objective, settings, given.hardware
        made: dict[str, nn.Module] = {}
        for number, name in enumerate(GENERATORS + JUDGES):
            made[name] = drawn(
                given.seed + number, partial(generator if name in GENERATORS else discriminator, network)
            )
            if name in given.starts:
                begun(made[name], name, given.starts[name])
            placed(made[name], given.hardware)
        self._trained = made
        self._makes = Player([(made[name], 1.0) for name in GENERATORS], settings.rate, _BETAS)
        self._judges = Player([(made[name], 1.0) for name in JUDGES], settings.rate, _BETAS)
        self._means: dict[str, RunningMean] = {}
        if settings.half_life:
            self._means = {name: RunningMean(made[name], settings.half_life, settings.batch) for name in GENERATORS}
        # Two buffers with draws of their own.
        self._first = SharedHistory(settings.history, 2 * given.seed)
        self._second = SharedHistory(settings.history, 2 * given.seed + 1)
        self._calls = Networks(**{name: self._call(module, given.hardware.compiled) for name, module in made.items()})

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """`to_second`, `to_first`, `judge_first`, `judge_second`; `to_second_average` and the other where kept."""
        return self._trained | {f"{name}_average": mean.module for name, mean in self._means.items()}

    @property
    def names(self) -> frozenset[str]:
        """`first` and `second`."""
        return frozenset({"first", "second"})

    @property
    def watched(self) -> str:
        """The cycle, if it counts."""
        return "cycle" if self._objective.cycle else ""

    def phase(self, step: int) -> str:
        """There is one."""
        return ""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve both generators, then both discriminators.

        Raises:
            ValueError: a picture's side is no multiple of 4.
        """
        height, width = batch["first"].shape[-2:]
        if height % _MULTIPLE or width % _MULTIPLE:
            raise ValueError(f"pictures of {height} x {width} pixels; CycleGAN takes multiples of {_MULTIPLE}")
        cut = parts(batch, self._settings.accumulate)
        shares = [len(part["first"]) / len(batch["first"]) for part in cut]
        factor = self._settings.factor(at.step)
        totals = Totals()
        made: list[Made] = []
        self._makes.begin()
        self._learning(False)
        for part, share in zip(cut, shares, strict=True):
            terms, pictures = translation_terms(self._objective, self._calls, part["first"], part["second"])
            backward(terms, weights(self._objective), share)
            totals.add(terms, share)
            made.append(Made(pictures.first.detach(), pictures.second.detach()))
        self._learning(True)
        self._makes.finish(factor)
        for name, mean in self._means.items():
            mean.update(self._trained[name])
        if self._objective.adversarial:
            self._judges.begin()
            for part, share, now in zip(cut, shares, made, strict=True):
                shown = Made(self._first.shown(now.first), self._second.shown(now.second))
                terms = game_terms(self._calls, part["first"], part["second"], shown)
                backward(terms, dict.fromkeys(terms, 1.0), share)
                totals.add(terms, share)
            self._judges.finish(factor)
        return totals.terms

    def state(self) -> dict[str, Any]:
        """Optimisers, histories, and the running means' counts."""
        return {
            "makes": self._makes.state(),
            "judges": self._judges.state(),
            "first": self._first.state(),
            "second": self._second.state(),
            "means": {name: mean.state() for name, mean in self._means.items()},
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._makes.resume(state["makes"])
        self._judges.resume(state["judges"])
        self._first.resume(state["first"], self._hardware.device)
        self._second.resume(state["second"], self._hardware.device)
        for name, mean in self._means.items():
            mean.resume(state["means"][name])

    def slower(self, factor: float) -> None:
        """Multiply all learning rates from now on."""
        self._makes.slower(factor)
        self._judges.slower(factor)

    @torch.no_grad()
    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """Both directions, there and back.

        `made` is what has gone there and back, and `truth` the picture that it was: there are no pairs to measure
        a translation by.
        """
        first, second = batch["first"], batch["second"]
        to_second, to_first = (self._call(self.exports()[name], False) for name in GENERATORS)
        in_second, in_first = to_second(first), to_first(second)
        return {
            "first": first,
            "in second": in_second,
            "made": to_first(in_second),
            "second": second,
            "in first": in_first,
            "second again": to_second(in_first),
            "truth": first,
        }

    def exports(self) -> Mapping[str, nn.Module]:
        """Both generators, or their running means."""
        return {name: self._means[name].module if name in self._means else self._trained[name] for name in GENERATORS}

    def _call(self, module: nn.Module, compiled: bool) -> Call:
        network = torch.compile(module) if compiled else module

        def call(pictures: Tensor) -> Tensor:
            with cast(self._hardware):
                made: Tensor = network(laid(pictures, self._hardware))
            return made.float()

        return call

    def _learning(self, learning: bool) -> None:
        for name in JUDGES:
            self._trained[name].requires_grad_(learning)
