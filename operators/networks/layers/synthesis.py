"""What the synthesis networks of GPEN and GFPGAN share: StyleGAN2's pass from a constant to a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Between = Callable[[int, Tensor], Tensor]


class Noises(nn.Module):
    """Noise that a checkpoint stores: buffers (1, 1, S, S), one for each styled convolution.

    Args:
        levels: number of resolutions from 4 on.
        prefix: of the buffers' names; a number follows.
    """

    def __init__(self, levels: int, prefix: str) -> None:
        super().__init__()
        self._names = [f"{prefix}{index}" for index in range(2 * levels - 1)]
        for index, name in enumerate(self._names):
            side = 2 ** ((index + 5) // 2)
            self.register_buffer(name, torch.randn(1, 1, side, side))

    def all(self) -> list[Tensor]:
        """The buffers, from the smallest."""
        return [self.get_buffer(name) for name in self._names]


def synthesise(
    constant: Tensor,
    convolutions: Sequence[nn.Module],
    to_rgbs: Sequence[nn.Module],
    styles: Sequence[Tensor],
    rgb_styles: Sequence[Tensor],
    noises: Sequence[Tensor | None],
    between: Between | None = None,
) -> Tensor:
    """StyleGAN2's synthesis with skip connections (figure 7b of the paper).

    Args:
        constant: (1, C, 4, 4), the learned start.
        convolutions: one at the first resolution, two at every further one; each takes features, style and noise.
        to_rgbs: one at each resolution; each takes features, style and the smaller picture.
        styles: one for each convolution, (N, ...), as it takes them.
        rgb_styles: one for each of `to_rgbs`.
        noises: one for each convolution, or None.
        between: changes the features between the two convolutions of a resolution, by its number from 0.

    Returns:
        (N, 3, S, S).
    """
    count = styles[0].shape[0]
    features: Tensor = convolutions[0](constant.expand(count, -1, -1, -1), styles[0], noises[0])
    picture: Tensor = to_rgbs[0](features, rgb_styles[0], None)
    for level, to_rgb in enumerate(to_rgbs[1:]):
        at = 2 * level + 1
        features = convolutions[at](features, styles[at], noises[at])
        if between is not None:
            features = between(level, features)
        features = convolutions[at + 1](features, styles[at + 1], noises[at + 1])
        picture = to_rgb(features, rgb_styles[level + 1], picture)
    return picture


def rgb_places(latents: int) -> range:
    """Which of the latents the pictures' layers take; each shares one with the next resolution's first convolution.

    Args:
        latents: two for each resolution.
    """
    return range(1, latents, 2)
