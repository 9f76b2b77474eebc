"""The generator of face completion: an encoder, a vector with the attributes, a decoder, and skips between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.completion.growth import Stage
from operators.networks.completion.layers import Decoder, Encoder, Skip
from operators.networks.completion.levels import SMALLEST, checked_channels, reduced
from operators.networks.completion.packing import SEEN, unpacked
from operators.networks.completion.tone import tone_of, without_tone
from operators.networks.layers.equalised import GAIN, SLOPE, EqualConv2d, EqualLinear


class CompletionGenerator(nn.Module):
    """G(I_obs, M, A) of the paper: one forward pass from a face with a hole to a whole face.

    Level i works at 4 * 2^i pixels; all levels are there from the beginning, and `Stage` says up to which one they are
    used. The encoder ends in a vector, to which the attributes are appended, and from which the decoder begins. (As
    planes at 4 x 4 pixels they would mostly be lost: but for its padding, a convolution makes one constant of a plane
    for each feature, and instance normalisation takes constants away.) The conditional network has residual blocks on
    its skips, the other copies.

    Args:
        size: pixels a side at full growth, a power of two from 4.
        channels: at 4, 8, ... pixels; None for PGGAN's.
        attributes: number of controllable attributes.
        conditional: residual blocks on the skips; None has them where there are attributes.

    Raises:
        ValueError: the size or the channels cannot be, or there are attributes and no residual blocks, or more
            attributes than a plane of the input holds.
    """

    def __init__(
        self,
        size: int = 256,
        *,
        channels: Sequence[int] | None = None,
        attributes: int = 0,
        conditional: bool | None = None,
    ) -> None:
        super().__init__()
        widths = checked_channels(size, channels)
        conditional = attributes > 0 if conditional is None else conditional
        if not 0 <= attributes <= size * size or (attributes and not conditional):
            raise ValueError(f"{attributes} attributes at {size} pixels, conditional {conditional}: this cannot be")
        self.size, self.attributes, self.conditional, self.channels = size, attributes, conditional, widths
        pairs: list[tuple[int, int | None]] = list(zip(widths, (None, *widths[:-1]), strict=True))
        self.from_picture = nn.ModuleList(EqualConv2d(SEEN, width, 1) for width in widths)
        self.encoder = nn.ModuleList(Encoder(*pair) for pair in pairs)
        self.squeeze = EqualConv2d(widths[0], widths[0], SMALLEST)
        self.expand = EqualLinear(widths[0] + attributes, widths[0] * SMALLEST**2, activate=True)
        self.skips = nn.ModuleList(Skip(width) if conditional else nn.Identity() for width in widths)
        self.decoder = nn.ModuleList(Decoder(*pair) for pair in pairs)
        self.to_picture = nn.ModuleList(EqualConv2d(width, 3, 1) for width in widths)

    def forward(self, x: Tensor, attributes: Tensor | None = None, stage: Stage | None = None) -> Tensor:
        """Complete faces.

        Args:
            x: (N, 4, S, S) as `packing.pack` makes it, or (N, 5, S, S) with the attributes inside; S is the stage's.
            attributes: (N, A) in [0, 1]; None takes them out of `x`.
            stage: how far the network is grown; None for all of it.

        Returns:
            (N, 3, S, S), RGB, about [-1, 1]: the whole face, not only what was masked.
        """
        stage = stage or Stage(self.size)
        seen, inside = unpacked(x, self.attributes)
        mean, deviation = tone_of(seen)
        beside, deepest = self._encoded(without_tone(seen, mean, deviation), stage)
        latent = functional.leaky_relu(self.squeeze(deepest), SLOPE).flatten(1) * GAIN
        latent = torch.cat([latent, inside if attributes is None else attributes.to(latent.dtype)], dim=1)
        return self._decoded(latent, beside, stage) * deviation + mean

    def _encoded(self, seen: Tensor, stage: Stage) -> tuple[list[Tensor], Tensor]:
        """Features for the skips, from level 0 on, and those at 4 x 4 pixels."""
        beside: list[Tensor] = []
        x = self._entering(seen, stage.level)
        for level in range(stage.level, -1, -1):
            handed, x = self.encoder[level](x)
            beside.insert(0, self.skips[level](handed))
            if level == stage.level and stage.fades:
                before = self._entering(reduced(seen, stage.size // 2), level - 1)
                x = before + stage.alpha * (x - before)
        return beside, x

    def _entering(self, seen: Tensor, level: int) -> Tensor:
        return functional.leaky_relu(self.from_picture[level](seen), SLOPE) * GAIN

    def _decoded(self, latent: Tensor, beside: list[Tensor], stage: Stage) -> Tensor:
        x = self.expand(latent).view(len(latent), -1, SMALLEST, SMALLEST)
        before: Tensor | None = None
        for level in range(stage.level + 1):
            if level == stage.level and stage.fades:
                before = functional.interpolate(self.to_picture[level - 1](x), scale_factor=2.0, mode="nearest")
            x = self.decoder[level](x, beside[level])
        picture: Tensor = self.to_picture[stage.level](x)
        return picture if before is None else before + stage.alpha * (picture - before)


def up_to(network: CompletionGenerator, size: int) -> CompletionGenerator:
    """A copy of the levels up to a size: what a growth that ended there has made, as a network of its own.

    Args:
        network: trained up to that size or beyond.
        size: pixels a side, at most the network's.

    Raises:
        ValueError: the size is none of the network's.
    """
    levels = Stage(size).level + 1
    if size > network.size:
        raise ValueError(f"the network has {network.size} pixels, and {size} were asked for")
    small = CompletionGenerator(
        size,
        channels=network.channels[:levels],
        attributes=network.attributes,
        conditional=network.conditional,
    )
    state = network.state_dict()
    small.load_state_dict({name: state[name].clone() for name in small.state_dict()})
    return small.train(network.training)
