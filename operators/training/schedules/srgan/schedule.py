"""How SRGAN is trained: first alone on the mean square, then on features and against a discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.srresnet.network import ModifiedSrResNet, SrResNet
from operators.training.contract import At, Tensors
from operators.training.discriminators.vgg import VggDiscriminator
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.game import fast, parted, resume, states, toward, weighted
from operators.training.schedules.perception import FEATURES, feature_network, resting, seen
from operators.training.schedules.prepared import (
    RunningMean,
    Totals,
    begun,
    cast,
    check_names,
    drawn,
    placed,
)
from operators.training.schedules.srgan.options import FACTORS, Network, Objective, Schedule
from operators.training.synced import synced
from operators.training.terms.adversarial import logistic_discriminator, logistic_generator
from operators.training.terms.content import squared
from operators.training.terms.perceptual import feature_content

BETAS = (0.9, 0.999)
_SMALL = 0.1
LAYERS = {
    "vgg16": {"relu5_3": 0.006},
    "sface": {"conv_2": 0.02, "conv_4": 0.016, "conv_6": 0.015, "conv_12": 0.032},
}
"""What layers count. VGG: the paper's VGG5,4 is the last convolution of VGG-19, here of VGG-16, and 0.006 its scale of
1 / 12.75 for features. SFace, which stands in where VGG-16 is not given: each layer gives a quarter, and all together
what the mean square is, 0.009, as measured on 24 portraits of 256 pixels reduced four times and enlarged again."""


class Srgan:
    """SRGAN in training.

    In the game the generator takes its step first, and the discriminator then sees what was made in it; so each picture
    is made once.

    Args:
        given: settings of `options`; `starts` may have `generator`, `discriminator` and `features` (VGG-16).

    Raises:
        ValueError: a start is not of the network that is described.
    """

    names = frozenset({"degraded", "truth"})
    watched = "pixel"

    def __init__(self, given: Given) -> None:
        self._network: Network = given.network
        self._objective: Objective = given.objective
        assert isinstance(given.schedule, Schedule)
        self._settings = given.schedule
        self._hardware = given.hardware
        check_names(given.starts, ("generator", "discriminator", FEATURES))
        self.generator = drawn(given.seed, lambda: synced(_generator(self._network)))
        self.judge = drawn(given.seed + 1, lambda: synced(_judge(self._network))) if self._against else None
        for name, module in self._trained().items():
            if name in given.starts:
                begun(module, name, given.starts[name])
            placed(module, self._hardware)
        self._weights: Mapping[str, float] = {}
        self._features: nn.Module | None = None
        if self._playing and self._objective.content:
            layers = {kind: tuple(weights) for kind, weights in LAYERS.items()}
            features = feature_network(given.starts, layers["vgg16"], layers["sface"])
            self._weights, self._features = LAYERS[features.name], placed(features, self._hardware)
        self._enlarge = fast(self.generator, self._hardware)
        self._alone = Player([(self.generator, 1.0)], self._settings.rate, BETAS)
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
        """Pixels alone, then the game, in which their distance grows by design."""
        return "alone" if step < self._settings.alone else "game"

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve the generator, and in the game the discriminator after it.

        Args:
            at: where the training is.
            batch: `truth` (N, 3, size, size) and `degraded`, as many times smaller as it is enlarged.

        Returns:
            `pixel`; in the game `content`, `adversarial` and `discriminator`, as far as they have a weight.

        Raises:
            ValueError: the pictures have other sizes.
        """
        self._check(batch)
        factor = self._settings.factor(at.step)
        playing = at.step >= self._settings.alone
        player, totals, share = self._maker if playing else self._alone, Totals(), 1 / self._settings.accumulate
        shown: list[tuple[Tensor, Tensor]] = []
        player.begin()
        for part in parted(batch, self._settings.accumulate, self._hardware):
            made = self._made(part["degraded"])
            terms = self._terms(made, part["truth"], playing)
            totals.add(terms, share)
            toward(player, share * weighted(terms, self._counted(playing)))
            shown.append((part["truth"], made.detach()))
        player.finish(factor)
        if playing and self.judge is not None:
            self._critic.begin()
            for truth, made in shown:
                loss = logistic_discriminator(self._logits(truth), self._logits(made))
                totals.add({"discriminator": loss}, share)
                toward(self._critic, share * loss)
            self._critic.finish(factor)
        if self._average is not None:
            self._average.update(self.generator)
        return totals.terms

    def state(self) -> dict[str, Any]:
        """Optimisers of both trainings and of the discriminator, and how much the running mean has seen."""
        found = states(self._players())
        return found if self._average is None else found | {"average": self._average.state()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        resume(self._players(), state)
        if self._average is not None:
            self._average.resume(state["average"])

    def slower(self, factor: float) -> None:
        """Multiply all learning rates from now on."""
        for player in self._players().values():
            player.slower(factor)

    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """`given`, enlarged bicubically; `made` by what is exported; `truth`."""
        network = self.exports()["generator"]
        with resting(network), cast(self._hardware):
            made = network((batch["degraded"] + 1) / 2).float() * 2 - 1
        size = (batch["truth"].shape[-2], batch["truth"].shape[-1])
        given = functional.interpolate(batch["degraded"], size, mode="bicubic", align_corners=False)
        return {"given": given.clamp(-1, 1), "made": made, "truth": batch["truth"]}

    def exports(self) -> Mapping[str, nn.Module]:
        """The generator, its running mean where there is one; it maps pictures in [0, 1]."""
        return {"generator": self.generator if self._average is None else self._average.module}

    def _check(self, batch: Tensors) -> None:
        network, found = self._network, (batch["degraded"].shape[-1], batch["truth"].shape[-1])
        if found != (network.size // network.enlargement, network.size):
            raise ValueError(
                f"data gives pictures of {found[0]} pixels a side and of {found[1]} to make of them; model.size is "
                f"{network.size} and model.enlargement {network.enlargement}: change them, or leave data.size out"
            )

    @property
    def _playing(self) -> bool:
        return self._settings.alone < self._settings.steps

    @property
    def _against(self) -> bool:
        return self._playing and self._objective.adversarial > 0

    def _trained(self) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {"generator": self.generator}
        return found if self.judge is None else found | {"discriminator": self.judge}

    def _players(self) -> dict[str, Player]:
        found = {"alone": self._alone, "generator": self._maker}
        return found if self.judge is None else found | {"discriminator": self._critic}

    def _counted(self, playing: bool) -> dict[str, float]:
        if not playing:
            return {"pixel": 1.0}
        objective = self._objective
        return {"pixel": objective.pixel, "content": objective.content, "adversarial": objective.adversarial}

    def _made(self, degraded: Tensor) -> Tensor:
        """From [-1, 1] to [-1, 1], through a network that knows [0, 1]."""
        with cast(self._hardware):
            made: Tensor = self._enlarge((degraded + 1) / 2)
        return made.float() * 2 - 1

    def _terms(self, made: Tensor, truth: Tensor, playing: bool) -> dict[str, Tensor]:
        """What the generator minimises, unweighted."""
        terms = {"pixel": squared(made, truth)}
        if playing and self._features is not None:
            with torch.no_grad():
                expected = seen(self._features, truth, self._hardware)
            found = seen(self._features, made, self._hardware)
            terms["content"] = feature_content(found, expected, self._weights)
        if playing and self.judge is not None:
            terms["adversarial"] = logistic_generator(self._logits(made))
        return terms

    def _logits(self, pictures: Tensor) -> Tensor:
        with cast(self._hardware):
            logits: Tensor = self._judged(pictures)
        return logits.float()


def _generator(network: Network) -> nn.Module:
    factors = FACTORS[network.enlargement]
    if network.form == "modified":
        return _begun_small(ModifiedSrResNet(channels=network.channels, blocks=network.blocks, factors=factors))
    return SrResNet(channels=network.channels, blocks=network.blocks, factors=factors)


def _begun_small(network: ModifiedSrResNet) -> ModifiedSrResNet:
    """The network beginning as little more than its bilinear enlargement, as BasicSR's does.

    There, convolutions outside of the blocks are drawn as small as those inside, and no convolution adds anything.
    """
    inside = {name for number in range(network.blocks) for name in network.block(number)}
    for name, part in network.named_modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.zeros_(part.bias)
            if name not in inside:
                with torch.no_grad():
                    part.weight.mul_(_SMALL)
    return network


def _judge(network: Network) -> VggDiscriminator:
    return VggDiscriminator(network.size, network.judge_width, network.judge_hidden)
