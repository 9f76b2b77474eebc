"""The training of face completion: two networks that grow together, improved in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.completion.discriminator import CompletionDiscriminator, Judgement
from operators.networks.completion.generator import CompletionGenerator, up_to
from operators.networks.completion.growth import Growth, Stage
from operators.networks.completion.levels import reduced
from operators.networks.completion.packing import pack
from operators.training.contract import At, Tensors
from operators.training.player import Player
from operators.training.schedules.completion.compiled import Steady
from operators.training.schedules.completion.faces import Faces, at_stage, with_draws
from operators.training.schedules.completion.features import Features
from operators.training.schedules.completion.objective import completion_terms, game_terms, penalty
from operators.training.schedules.completion.options import Network, Objective, Schedule, check_growth
from operators.training.schedules.contract import Given
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

STARTS = ("generator", "discriminator", "features")
_BETAS = (0.0, 0.99)
_MOST_SHOWN = 4
"""Attributes that are shown turned round."""


class Completion:
    """Completion in training; a `contract.Schedule`.

    In a step the discriminator is improved against completed faces of the networks as they are, then the generator
    against the improved discriminator. The discriminator learns attributes from real faces alone, and tells the
    generator how far completed faces have those that were asked for.

    Args:
        given: `network`, `objective` and `schedule` of this package's options; `starts` for `generator`,
            `discriminator`, and `features`, which is VGG-16 in place of SFace.

    Raises:
        ValueError: the training ends before the network is grown, or a start does not fit.
    """

    def __init__(self, given: Given) -> None:
        network, objective, settings = given.network, given.objective, given.schedule
        if not (isinstance(network, Network) and isinstance(objective, Objective) and isinstance(settings, Schedule)):
            raise TypeError("expected settings of completion")
        check_growth(network, settings)
        check_names(given.starts, STARTS)
        self._objective, self._settings, self._hardware = objective, settings, given.hardware
        self._names = given.attributes
        self._growth = Growth(settings.first, network.size, settings.fading, settings.steady)
        count = len(given.attributes)
        self._generator = drawn(
            given.seed,
            lambda: CompletionGenerator(
                network.size, channels=network.channels, attributes=count, conditional=network.conditional
            ),
        )
        self._discriminator = drawn(
            given.seed + 1,
            lambda: CompletionDiscriminator(network.size, channels=network.channels, attributes=count),
        )
        trained = {"generator": self._generator, "discriminator": self._discriminator}
        for name, module in trained.items():
            if name in given.starts:
                begun(module, name, given.starts[name])
            placed(module, given.hardware)
        self._plays = objective.adversarial > 0 or (objective.attributes > 0 and count > 0)
        if not (self._plays or objective.reconstruction or objective.boundary or objective.feature):
            raise ValueError("objective: no term counts; give one of them a weight")
        self._makes = Player([(self._generator, 1.0)], settings.rate, _BETAS)
        self._judges = Player([(self._discriminator, 1.0)], settings.rate, _BETAS)
        self._mean = RunningMean(self._generator, settings.half_life, settings.batch) if settings.half_life else None
        self._history = SharedHistory(settings.history, given.seed)
        self._look = Features(given.starts, given.hardware) if objective.feature else None
        self._made_by = Steady(self._generator, compiled=given.hardware.compiled)
        self._judged_by = Steady(self._discriminator, compiled=given.hardware.compiled)
        self._done = 0

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """`generator`, `discriminator`, and `average` of the generator."""
        found: dict[str, nn.Module] = {"generator": self._generator, "discriminator": self._discriminator}
        return found if self._mean is None else found | {"average": self._mean.module}

    @property
    def names(self) -> frozenset[str]:
        """`truth` and `mask`, and `attributes` where there are any."""
        return frozenset({"truth", "mask", "attributes"} if self._names else {"truth", "mask"})

    @property
    def watched(self) -> str:
        """The reconstruction, if it counts."""
        return "reconstruction" if self._objective.reconstruction else ""

    def phase(self, step: int) -> str:
        """The size that the networks have grown to: a larger one begins with a larger distance."""
        return f"{self._stage(step).size} pixels"

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve the discriminator, then the generator."""
        stage = self._stage(at.step)
        self._enter(at.step, stage)
        batch = with_draws(at, batch)
        cut = [at_stage(part, stage, self._objective.radius) for part in parts(batch, self._settings.accumulate)]
        shares = [len(faces.truth) / len(batch["truth"]) for faces in cut]
        factor = self._settings.factor(at.step)
        totals = Totals()
        # With one part the same pass serves both networks; with several each would have to be held in memory.
        kept = self._made(cut[0], stage) if len(cut) == 1 else None
        if self._plays:
            self._judges.begin()
            for faces, share in zip(cut, shares, strict=True):
                self._judge_once(at.step, stage, faces, share, kept, totals)
            self._judges.finish(factor)
        self._makes.begin()
        self._discriminator.requires_grad_(False)
        for faces, share in zip(cut, shares, strict=True):
            self._make_once(stage, faces, share, kept, totals)
        self._discriminator.requires_grad_(True)
        self._makes.finish(factor)
        if self._mean is not None:
            self._mean.update(self._generator)
        self._done = at.step + 1
        return totals.terms

    def state(self) -> dict[str, Any]:
        """Optimisers, history, the running mean's count, and how many steps were done."""
        return {
            "makes": self._makes.state(),
            "judges": self._judges.state(),
            "history": self._history.state(),
            "mean": 0 if self._mean is None else self._mean.state(),
            "done": self._done,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._makes.resume(state["makes"])
        self._judges.resume(state["judges"])
        self._history.resume(state["history"], self._hardware.device)
        if self._mean is not None:
            self._mean.resume(state["mean"])
        self._done = int(state["done"])

    def slower(self, factor: float) -> None:
        """Multiply both learning rates from now on."""
        self._makes.slower(factor)
        self._judges.slower(factor)

    @torch.no_grad()
    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """The face with its hole, completed, as it was; and completed with each of the first attributes turned round.

        Sizes below the network's are enlarged.
        """
        stage = self._stage(max(self._done - 1, 0))
        truth, mask = batch["truth"], batch["mask"]
        told = batch.get("attributes", truth.new_zeros(len(truth), 0))

        def completed(asked: Tensor) -> Tensor:
            seen = pack(reduced(truth, stage.size), reduced(mask, stage.size))
            with cast(self._hardware):
                made = self._kept()(laid(seen, self._hardware), asked, stage).float()
            large = functional.interpolate(made, size=truth.shape[-2:], mode="nearest")
            return torch.lerp(truth, large, mask)

        found = {"given": truth * (1 - mask), "made": completed(told), "truth": truth}
        for index, name in enumerate(self._names[:_MOST_SHOWN]):
            turned = told.clone()
            turned[:, index] = 1.0 - told[:, index]
            found[f"{name} turned round"] = completed(turned)
        return found

    def exports(self) -> Mapping[str, nn.Module]:
        """The generator's running mean, up to the size that is wholly faded in."""
        stage = self._stage(max(self._done - 1, 0))
        kept = self._kept()
        size = stage.size // 2 if stage.fades else stage.size
        return {"generator": kept if size == kept.size else placed(up_to(kept, size), self._hardware)}

    def _kept(self) -> CompletionGenerator:
        module = self._generator if self._mean is None else self._mean.module
        assert isinstance(module, CompletionGenerator)
        return module

    def _stage(self, step: int) -> Stage:
        return self._growth.stage(step * self._settings.batch)

    def _enter(self, step: int, stage: Stage) -> None:
        """What happens where a size is added, which the step's number alone tells."""
        if not step or self._stage(step - 1).size == stage.size:
            return
        self._history.forget()
        if self._hardware.compiled:
            # torch counts how often it compiles one function, over all sizes, and gives up after some.
            torch.compiler.reset()
        if self._settings.fresh:
            self._makes.optimiser.state.clear()
            self._judges.optimiser.state.clear()

    def _made(self, faces: Faces, stage: Stage) -> Tensor:
        with cast(self._hardware):
            made: Tensor = self._made_by(stage, laid(faces.seen, self._hardware), faces.asked)
        return made.float()

    def _judge(self, stage: Stage) -> Callable[[Tensor], Judgement]:
        def judge(pictures: Tensor) -> Judgement:
            with cast(self._hardware):
                judged: Judgement = self._judged_by(stage, laid(pictures, self._hardware))
            return judged

        return judge

    def _judge_once(
        self, step: int, stage: Stage, faces: Faces, share: float, kept: Tensor | None, totals: Totals
    ) -> None:
        """The discriminator's gradients of one part."""
        objective = self._objective
        with torch.no_grad():
            made = self._made(faces, stage) if kept is None else kept.detach()
        shown = self._history.shown(made)
        terms = game_terms(objective, self._judge(stage), faces, shown)
        weights = {"discriminator": 1.0, "drift": objective.drift, "attributes_real": objective.attributes}
        if objective.adversarial and objective.penalty and step % objective.penalty_every == 0:
            terms["penalty"] = penalty(objective.game, lambda x: self._discriminator(x, stage), faces, shown)
            weight = objective.penalty / (2 if objective.game == "logistic" else 1)
            weights["penalty"] = weight * objective.penalty_every
        backward(terms, weights, share)
        totals.add(terms, share)

    def _make_once(self, stage: Stage, faces: Faces, share: float, kept: Tensor | None, totals: Totals) -> None:
        """The generator's gradients of one part."""
        objective = self._objective
        made = self._made(faces, stage) if kept is None else kept
        judge = self._judge(stage) if self._plays else None
        terms = completion_terms(objective, judge, self._look, faces, made)
        backward(terms, {name: getattr(objective, name) for name in terms}, share)
        totals.add(terms, share)
