"""How the transformation network is trained: by the features of a fixed network alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.transform.network import Transform
from operators.training.contract import At, Tensors
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.game import fast, parted, toward, weighted
from operators.training.schedules.perception import FEATURES, feature_network, resting, seen
from operators.training.schedules.prepared import RunningMean, Totals, begun, cast, check_names, drawn, placed
from operators.training.schedules.transform.options import Network, Objective, Schedule
from operators.training.schedules.transform.variation import variation
from operators.training.terms.perceptual import feature_content, style

BETAS = (0.9, 0.999)
_GREY = 127.5
CONTENT = {"vgg16": {"relu2_2": 1.0}, "sface": {"conv_4": 2.5}}
STYLE = {
    "vgg16": {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
    "sface": {"conv_2": 12.0, "conv_4": 55.0, "conv_6": 145.0, "conv_12": 250.0},
}
"""What layers count. VGG-16: the paper's (section 4.1). SFace, which stands in where VGG-16 is not given, at the same
resolutions: between portraits of two people (24 of 256 pixels) content comes to 1, and style to 1/4 from each layer."""


class TransformSchedule:
    """The transformation network in training.

    Args:
        given: settings of `options`; `pictures` has `style` for that task; `starts` may have `generator` and `features`
            (VGG-16).

    Raises:
        ValueError: there is no style picture, or a start is not of the network that is described.
    """

    names = frozenset({"truth"})

    def __init__(self, given: Given) -> None:
        assert isinstance(given.schedule, Schedule)
        self._network: Network = given.network
        self._objective: Objective = given.objective
        self._settings = given.schedule
        self._hardware = given.hardware
        # The distance of the content grows where the style comes in; that of the style falls.
        self.watched = "style" if self._objective.style else "content"
        check_names(given.starts, ("generator", FEATURES))
        self.generator = drawn(given.seed, lambda: _generator(self._network))
        if "generator" in given.starts:
            begun(self.generator, "generator", given.starts["generator"])
        placed(self.generator, self._hardware)
        vgg, sface = (tuple(sorted({*CONTENT[kind], *STYLE[kind]})) for kind in ("vgg16", "sface"))
        self._features = placed(feature_network(given.starts, vgg, sface), self._hardware)
        self._content, self._style = CONTENT[self._features.name], STYLE[self._features.name]
        self._wanted: Mapping[str, Tensor] = {}
        if self._styling:
            self._wanted = self._style_maps(given.pictures)
        self._transform = fast(self.generator, self._hardware)
        self._player = Player([(self.generator, 1.0)], self._settings.rate, BETAS)
        self._average = None
        if self._settings.half_life > 0:
            self._average = RunningMean(self.generator, self._settings.half_life, self._settings.batch)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The network, and its running mean where there is one."""
        found: dict[str, nn.Module] = {"generator": self.generator}
        return found if self._average is None else found | {"average": self._average.module}

    def phase(self, step: int) -> str:
        """There is one."""
        return ""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve the network once.

        Args:
            at: where the training is.
            batch: `truth`, (N, 3, size, size).

        Returns:
            `content`, `style` and `variation`, as far as they have a weight.
        """
        count, totals = self._settings.accumulate, Totals()
        weights = {name: getattr(self._objective, name) for name in ("content", "style", "variation")}
        self._player.begin()
        for part in parted({"truth": batch["truth"]}, count, self._hardware):
            with cast(self._hardware):
                made = self._transform((self._entering(part["truth"]) + 1) * _GREY)
            terms = self._terms(made.float() / _GREY - 1, part["truth"])
            totals.add(terms, 1 / count)
            toward(self._player, weighted(terms, weights) / count)
        self._player.finish(self._settings.factor(at.step))
        if self._average is not None:
            self._average.update(self.generator)
        return totals.terms

    def state(self) -> dict[str, Any]:
        """The optimiser, and how much the running mean has seen."""
        found: dict[str, Any] = {"generator": self._player.state()}
        return found if self._average is None else found | {"average": self._average.state()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._player.resume(state["generator"])
        if self._average is not None:
            self._average.resume(state["average"])

    def slower(self, factor: float) -> None:
        """Multiply the learning rate from now on."""
        self._player.slower(factor)

    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """`given`, enlarged for super-resolution; `made` by what is exported; `truth`, the picture itself."""
        network, given = self.exports()["generator"], self._entering(batch["truth"])
        with resting(network), cast(self._hardware):
            made = network((given + 1) * _GREY).float() / _GREY - 1
        return {"given": given, "made": made, "truth": batch["truth"]}

    def exports(self) -> Mapping[str, nn.Module]:
        """The network, its running mean where there is one; it maps pictures in [0, 255]."""
        return {"generator": self.generator if self._average is None else self._average.module}

    @property
    def _styling(self) -> bool:
        return self._network.task == "style" and self._objective.style > 0

    def _entering(self, truth: Tensor) -> Tensor:
        """What the network is given: the picture, or what is left of it when it was small once."""
        if self._network.task == "style":
            return truth
        height, width = truth.shape[-2], truth.shape[-1]
        times = self._network.enlargement
        small = functional.interpolate(truth, (height // times, width // times), mode="bicubic", antialias=True)
        return functional.interpolate(small, (height, width), mode="bicubic").clamp(-1, 1)

    def _terms(self, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """What is minimised, unweighted."""
        terms = {}
        found = seen(self._features, made, self._hardware)
        if self._objective.content:
            with torch.no_grad():
                expected = seen(self._features, truth, self._hardware)
            terms["content"] = feature_content(found, expected, self._content)
        if self._styling:
            terms["style"] = style(found, self._wanted, self._style)
        if self._objective.variation:
            terms["variation"] = variation(made)
        return terms

    def _style_maps(self, pictures: Mapping[str, NDArray[np.uint8]]) -> Mapping[str, Tensor]:
        """Features of the style picture, (1, C, h, w) by layer."""
        if "style" not in pictures:
            raise ValueError(
                "data.style: no style picture is given, which task style learns from; "
                "expected data of kind pictures with a style"
            )
        picture = torch.from_numpy(np.array(pictures["style"])).permute(2, 0, 1)[None].float() / _GREY - 1
        height, width = picture.shape[-2:]
        share = self._network.style_size / min(height, width)
        size = (round(height * share), round(width * share))
        resized = functional.interpolate(picture, size, mode="bicubic", antialias=True).clamp(-1, 1)
        with torch.no_grad():
            return seen(self._features, resized.to(self._hardware.device), self._hardware)


def _generator(network: Network) -> Transform:
    made = Transform(channels=network.channels, blocks=network.blocks, large=network.large)
    # In the middle of its range, where the paper's, which ends in a tanh, begins as well.
    assert made.deconv3.conv2d.bias is not None
    nn.init.constant_(made.deconv3.conv2d.bias, _GREY)
    return made
