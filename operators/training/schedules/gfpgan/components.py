"""Discriminators of left eye, right eye and mouth, and what they say of a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from operators.faces.templates import template_points
from operators.networks.layout import unwrapped
from operators.training.contract import Hardware
from operators.training.discriminators.component import ComponentDiscriminator
from operators.training.player import Player
from operators.training.schedules.contract import Given
from operators.training.schedules.game import Judge, placed
from operators.training.schedules.gfpgan.options import Network
from operators.training.schedules.prepared import begun, drawn, laid
from operators.training.terms.adversarial import logistic_generator
from operators.training.terms.components import component_style, regions

COMPONENTS = ("left_eye", "right_eye", "mouth")

_BETAS = (0.9, 0.99)


class Components:
    """The three games beside the one of the whole face (Wang et al. 2021, section 3.3).

    Args:
        network: settings.
        rate: Adam's.
        given: seed, weights to start with, hardware.

    Raises:
        ValueError: weights are not those of such a discriminator.
    """

    def __init__(self, network: Network, rate: float, given: Given) -> None:
        hardware = given.hardware
        self._hardware = hardware
        points = template_points(network.template, network.size)
        self._landmarks = torch.from_numpy(points).float().to(hardware.device)
        self.judges: Mapping[str, Judge] = {
            name: _judge(name, number, network, rate, given) for number, name in enumerate(COMPONENTS)
        }

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Of all three, by name."""
        return {name: judge.module for name, judge in self.judges.items()}

    @property
    def players(self) -> dict[str, Player]:
        """Likewise."""
        return {name: judge.player for name, judge in self.judges.items()}

    def terms(self, made: Tensor, truth: Tensor, style: bool) -> dict[str, Tensor]:
        """The generator's: `component`, and `component_style` if it is wanted, each added over components.

        Args:
            made: (N, 3, S, S) in [-1, 1].
            truth: likewise.
            style: whether features are compared.
        """
        games, styles = [], []
        parts, expected = self.cut(made), self.cut(truth)
        for name, judge in self.judges.items():
            logits, seen = judge.judged(parts[name])
            games.append(logistic_generator(logits))
            if style:
                with torch.no_grad():
                    _, true = judge.judged(expected[name])
                styles.append(component_style(seen, true))
        terms = {"component": torch.stack(games).sum()}
        return {**terms, "component_style": torch.stack(styles).sum()} if style else terms

    def improve(self, real: Sequence[Tensor], made: Sequence[Tensor], factor: float) -> Tensor:
        """One step of each discriminator with faces by part of the batch; their terms, added."""
        some, others = [self.cut(one) for one in real], [self.cut(one) for one in made]
        terms = [
            judge.improve([one[name] for one in some], [one[name] for one in others], factor)
            for name, judge in self.judges.items()
        ]
        return torch.stack(terms).sum()

    def cut(self, faces: Tensor) -> dict[str, Tensor]:
        """The components of faces (N, 3, S, S), where their template has them."""
        found = regions(faces, self._landmarks.expand(len(faces), -1, -1))
        return {name: laid(one, self._hardware) for name, one in found.items()}


def _judge(name: str, number: int, network: Network, rate: float, given: Given) -> Judge:
    hardware: Hardware = given.hardware
    module = drawn(given.seed + 2 + number, lambda: ComponentDiscriminator(network.component_width))
    if name in given.starts:
        begun(module, name, dict(unwrapped(given.starts[name])))
    return Judge(placed(module, hardware), Player([(module, 1.0)], rate, _BETAS), hardware)
