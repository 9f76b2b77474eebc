"""What a StyleGAN2 is given while it is trained: two latents a picture, the place where they change, fresh noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from operators.networks.gpen.network import Generator
from operators.networks.layers.synthesis import rgb_places, synthesise
from operators.training.contract import Hardware
from operators.training.draws import Draws

_APART = 0x9E3779B97F4A7C15
_SEEDS = 1 << 63


@dataclass(frozen=True)
class Drawn:
    """Of one part of a worker's samples.

    Attributes:
        codes: (N, 2, D), standard normal.
        places: (N,), number of the first layer that gets the second code; as many as there are layers for none.
        noises: one for each styled convolution, (N, C or 1, S, S).
    """

    codes: Tensor
    places: Tensor
    noises: list[Tensor]


class Latents:
    """Draws what a generator is given, and makes pictures of it with random noise.

    Args:
        generator: GPEN's.
        style_dim: length of its latents.
        mixing: probability of two latents in a picture (Karras et al. 2019, section 3.1).
        hardware: what it runs on.
    """

    def __init__(self, generator: Generator, style_dim: int, mixing: float, hardware: Hardware) -> None:
        self._generator = generator
        self._style_dim = style_dim
        self._mixing = mixing
        self._hardware = hardware
        self._layers = len(generator.convs) + 2

    def drawn(self, draws: Draws, name: str, count: int, part: int = 0, parts: int = 1) -> Drawn:
        """For a part of a worker's samples; what a sample gets depends on its place in the whole batch only.

        Args:
            draws: of the step.
            name: what the pictures are for.
            count: samples of this worker.
            part: number of the part, which has every `parts`-th of them.
            parts: how many there are.
        """
        like = self._generator.input.input
        codes = draws.normal(f"{name} codes", count, 2, self._style_dim, like=like)
        chances = draws.uniform(f"{name} mixing", count, 2, like=like)
        places = 1 + (chances[:, 1] * (self._layers - 1)).long().clamp(max=self._layers - 2)
        places = torch.where(chances[:, 0] < self._mixing, places, self._layers)
        samples = range(part, count, parts)
        noises = [
            self._noise(draws, f"{name} noise {layer}", samples, channels, side)
            for layer, (channels, side) in enumerate(self._shapes())
        ]
        return Drawn(codes[part::parts], places[part::parts], noises)

    def mapped(self, drawn: Drawn) -> Tensor:
        """Latents for all layers, (N, L, D)."""
        first, second = (self._generator.style(code) for code in drawn.codes.unbind(1))
        upper = torch.arange(self._layers, device=first.device)[None, :] >= drawn.places[:, None]
        return torch.where(upper[:, :, None], second[:, None], first[:, None])

    def made(self, latents: Tensor, noises: list[Tensor]) -> Tensor:
        """Pictures of latents (N, L, D)."""
        generator = self._generator
        styles = list(latents.unbind(1))
        return synthesise(
            generator.input.input,
            [generator.conv1, *generator.convs],
            [generator.to_rgb1, *generator.to_rgbs],
            styles[:-1],
            [styles[place] for place in rgb_places(self._layers)],
            noises,
        )

    def _shapes(self) -> list[tuple[int, int]]:
        """Channels and side of each noise: as many channels as the encoder's features that take its place."""
        generator, found = self._generator, []
        for number, layer in enumerate([generator.conv1, *generator.convs]):
            channels = layer.conv.weight.shape[1] if layer.noise.concatenated else 1
            found.append((int(channels), 4 << (number + 1) // 2))
        return found

    def _noise(self, draws: Draws, name: str, samples: range, channels: int, side: int) -> Tensor:
        """(N, channels, side, side), drawn on the device, since there is much of it."""
        device = self._generator.input.input.device
        seed = draws.generator(name).initial_seed()
        generator = torch.Generator(device)
        noises = []
        for sample in samples:
            number = sample * self._hardware.world + self._hardware.rank
            generator.manual_seed((seed + number * _APART) % _SEEDS)
            noises.append(torch.randn(channels, side, side, generator=generator, device=device))
        return torch.stack(noises)
