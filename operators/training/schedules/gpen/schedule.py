"""GPEN's three steps: train the prior, embed it as the decoder, tune both halves together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.gpen.layers import NoiseInjection
from operators.networks.gpen.network import Gpen
from operators.networks.layout import unwrapped
from operators.training.contract import At, Tensors
from operators.training.discriminators.style import Discriminator
from operators.training.draws import Draws
from operators.training.schedules.contract import Given
from operators.training.schedules.face_terms import FaceTerms
from operators.training.schedules.game import placed, running_mean
from operators.training.schedules.gpen.options import Network
from operators.training.schedules.gpen.prior import Prior
from operators.training.schedules.gpen.settings import check, opening, prior_steps
from operators.training.schedules.gpen.tuning import Tuning
from operators.training.schedules.perception import FEATURES
from operators.training.schedules.prepared import begun, cast, check_names, drawn
from operators.widths import widths

STARTS = ("generator", "decoder", "discriminator", FEATURES)
"""Networks that a training can begin with; the decoder is a StyleGAN2, or that of a GPEN."""

_SKIP = "skip"


class GpenTraining:
    """A `Schedule` (Yang et al., "GAN Prior Embedded Network for Blind Face Restoration in the Wild", CVPR 2021).

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
        self._style_dim = network.style_dim
        self._hardware = given.hardware
        self._prior_steps = prior_steps(given)
        self._generator = placed(_generator(network, given), given.hardware)
        self._discriminator = _discriminator(network, given) if objective.adversarial else None
        if self._discriminator is not None:
            placed(self._discriminator, given.hardware)
        self._average = running_mean(self._generator, schedule)
        self._tuned = not self._prior_steps
        self._prior = None
        if self._prior_steps and self._discriminator is not None:
            self._prior = Prior(
                self._generator.generator, self._discriminator, network, objective, schedule, given.hardware
            )
        faces = FaceTerms(
            objective.perceptual,
            objective.identity,
            size=network.size,
            template=network.template,
            hardware=given.hardware,
            starts=given.starts,
            window=schedule.window,
            in_turn=schedule.in_turn,
        )
        self._tuning = Tuning(self._generator, self._discriminator, faces, objective, schedule, given.hardware)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Generator, its running mean, and the discriminator if there is one."""
        found: dict[str, nn.Module] = {"generator": self._generator, "average": self._average.module}
        return found if self._discriminator is None else {**found, "discriminator": self._discriminator}

    @property
    def names(self) -> frozenset[str]:
        """Pairs; the prior looks at the good ones of them only."""
        return frozenset({"degraded", "truth"})

    @property
    def watched(self) -> str:
        """L_C; there is none while the prior is trained."""
        return "content"

    def phase(self, step: int) -> str:
        """The prior, then restoring."""
        return "prior" if step < self._prior_steps else "restoring"

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve all networks of the phase once."""
        since = at.step - self._prior_steps
        if self._prior is not None and since < 0:
            terms = self._prior.step(at, batch, self._schedule.factor(at.step))
        else:
            if not self._tuned:
                self._embed()
            terms = self._tuning.step(at, batch, self._pace(at.step), playing=since >= self._schedule.alone)
        self._average.update(self._generator)
        return terms

    def state(self) -> dict[str, Any]:
        """Players, the phase, and how many steps the mean has seen."""
        return {
            "tuned": self._tuned,
            "average": self._average.state(),
            "tuning": self._tuning.state(),
            "prior": None if self._prior is None else self._prior.state(),
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._tuned = bool(state["tuned"])
        self._average.resume(state["average"])
        self._tuning.resume(state["tuning"])
        if self._prior is not None and state["prior"] is not None:
            self._prior.resume(state["prior"])

    def slower(self, factor: float) -> None:
        """Multiply all learning rates from now on."""
        self._tuning.slower(factor)
        if self._prior is not None:
            self._prior.slower(factor)

    @torch.no_grad()
    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """What the mean makes of a batch, and as long as the prior is trained, faces out of nothing."""
        with cast(self._hardware):
            made = self._average.module(batch["degraded"])
        pictures = {"degraded": batch["degraded"], "made": made.float(), "truth": batch["truth"]}
        if not self._tuned and self._prior is not None:
            pictures["prior"] = self._imagined(batch["truth"])
        return pictures

    def exports(self) -> Mapping[str, nn.Module]:
        """`generator`, or where a training ends with the prior, that one, a StyleGAN2, as `prior`."""
        module = self._average.module
        assert isinstance(module, Gpen)
        return {"generator": module} if self._tuned else {"prior": module.generator}

    def _pace(self, step: int) -> float:
        """Factor of the learning rates in tuning, whose optimisers are new and so warm up anew."""
        warm = self._schedule.warm
        rising = min(1.0, (step - self._prior_steps + 1) / warm) if warm else 1.0
        return rising * replace(self._schedule, warm=0).factor(step)

    def _embed(self) -> None:
        """The second step: the running mean of the prior becomes the decoder, and the mean begins anew."""
        mean = self._average.module
        assert isinstance(mean, Gpen)
        self._generator.generator.load_state_dict(mean.generator.state_dict())
        mean.load_state_dict(self._generator.state_dict())
        self._average.resume(0)
        if self._prior is not None:
            self._prior.forget()
        self._tuned = True

    def _imagined(self, like: Tensor) -> Tensor:
        """As many pictures as there are in (N, 3, S, S), always of the same latents, noise being zero."""
        module = self._average.module
        assert isinstance(module, Gpen)
        code = Draws(0, 0).normal("shown", len(like), self._style_dim, like=like)
        with cast(self._hardware):
            pictures: Tensor = module.generator(code, [None] * (len(module.generator.convs) + 1))
        return pictures.float()


def _generator(network: Network, given: Given) -> Gpen:
    """Drawn, and then begun as `start` says: a whole GPEN first, a decoder after it."""
    generator = drawn(
        given.seed,
        lambda: Gpen(
            network.size,
            network.size,
            style_dim=network.style_dim,
            n_mlp=network.n_mlp,
            channel_multiplier=network.channel_multiplier,
            narrow=network.narrow,
            isconcat=network.isconcat,
            skip=network.skip,
        ),
    )
    _open(generator, opening(given))
    if "generator" in given.starts:
        start = dict(unwrapped(given.starts["generator"]))
        if network.skip is not None:
            start[_SKIP] = torch.tensor([float(network.skip)])
        elif _SKIP in start:
            raise ValueError(
                f"start.generator holds a share of its input in its output, {float(start[_SKIP]):g}; "
                "set model.skip to it, or to another"
            )
        begun(generator, "generator", start)
    if "decoder" in given.starts:
        begun(generator.generator, "decoder", _decoder(given.starts["decoder"]))
    return generator


def _open(generator: Gpen, weight: float) -> None:
    """Let the encoder's features in with this weight, in place of StyleGAN2's 0.

    A training of hours would otherwise spend them on opening what a prior has open: these weights are one number a
    layer, and with them near 0 hardly a gradient comes to the encoder.
    """
    with torch.no_grad():
        for module in generator.modules():
            if isinstance(module, NoiseInjection):
                module.weight.fill_(weight)


def _decoder(start: Mapping[str, Any]) -> dict[str, Any]:
    """What a StyleGAN2 or a GPEN has of a decoder; stored noise and the mean of w have no place in it."""
    flat, prefix = unwrapped(start), "generator."
    inside = {name.removeprefix(prefix): one for name, one in flat.items() if name.startswith(prefix)}
    found = inside or flat
    return {name: one for name, one in found.items() if not name.startswith("noises.") and name != "latent_avg"}


def _discriminator(network: Network, given: Given) -> Discriminator:
    channels = widths(network.size, network.judge_multiplier, network.judge_narrow)
    discriminator = drawn(given.seed + 1, lambda: Discriminator(channels))
    if "discriminator" in given.starts:
        begun(discriminator, "discriminator", dict(unwrapped(given.starts["discriminator"])))
    return discriminator
