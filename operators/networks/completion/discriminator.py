"""The discriminator of face completion: one trunk, and two branches that tell realness and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.completion.growth import Stage
from operators.networks.completion.levels import SMALLEST, checked_channels, reduced
from operators.networks.layers.equalised import GAIN, SLOPE, EqualConv2d, EqualLinear


@dataclass(frozen=True)
class Judgement:
    """What the discriminator says of pictures.

    Attributes:
        realness: (N,), higher is more real; a logit, no probability.
        attributes: (N, A) logits; their sigmoid is the likelihood of each attribute.
        features: maps of the trunk, one for each resolution from the stage's down to 4, for feature matching.
    """

    realness: Tensor
    attributes: Tensor
    features: tuple[Tensor, ...]


class Down(nn.Module):
    """One resolution of the trunk: two convolutions, then half the size.

    Args:
        channels: of the input.
        below: of the output.
    """

    def __init__(self, channels: int, below: int) -> None:
        super().__init__()
        self.first = EqualConv2d(channels, channels, 3, padding=1)
        self.second = EqualConv2d(channels, below, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, channels, H, W) to (N, below, H / 2, W / 2); gives the features before the size is halved too."""
        features = _activated(self.second(_activated(self.first(x))))
        return functional.avg_pool2d(features, 2), features


class CompletionDiscriminator(nn.Module):
    """D(I) = (D_cls(F(I)), D_attr(F(I))) of the paper; it sees the whole picture and no mask.

    It has no normalisation, and none of PGGAN's statistics over the batch: with them what is said of a face would
    depend on its neighbours, and two workers would not train what one does with a doubled batch.

    Args:
        size: pixels a side at full growth, a power of two from 4.
        channels: at 4, 8, ... pixels; None for PGGAN's.
        attributes: number of attributes that are told.

    Raises:
        ValueError: the size or the channels cannot be.
    """

    def __init__(self, size: int = 256, *, channels: Sequence[int] | None = None, attributes: int = 0) -> None:
        super().__init__()
        widths = checked_channels(size, channels)
        self.size, self.channels = size, widths
        self.from_picture = nn.ModuleList(EqualConv2d(3, width, 1) for width in widths)
        # Level 0 has no block of this kind; an empty one keeps the numbers the levels'.
        self.blocks = nn.ModuleList(
            [nn.Identity(), *(Down(width, below) for width, below in zip(widths[1:], widths[:-1], strict=True))]
        )
        self.last = EqualConv2d(widths[0], widths[0], 3, padding=1)
        self.squeeze = EqualConv2d(widths[0], widths[0], SMALLEST)
        self.realness = EqualLinear(widths[0], 1)
        self.attributes = EqualLinear(widths[0], attributes) if attributes else None

    def forward(self, pictures: Tensor, stage: Stage | None = None) -> Judgement:
        """Judge pictures.

        Args:
            pictures: (N, 3, S, S) in [-1, 1], RGB, real or completed; S is the stage's.
            stage: how far the network is grown; None for all of it.
        """
        stage = stage or Stage(self.size)
        features: list[Tensor] = []
        x = self._entering(pictures, stage.level)
        for level in range(stage.level, 0, -1):
            x, seen = self.blocks[level](x)
            features.append(seen)
            if level == stage.level and stage.fades:
                before = self._entering(reduced(pictures, stage.size // 2), level - 1)
                x = before + stage.alpha * (x - before)
        features.append(_activated(self.last(x)))
        vector = _activated(self.squeeze(features[-1])).flatten(1)
        told = vector.new_zeros(len(vector), 0) if self.attributes is None else self.attributes(vector)
        return Judgement(self.realness(vector).flatten(), told, tuple(features))

    def _entering(self, pictures: Tensor, level: int) -> Tensor:
        return _activated(self.from_picture[level](pictures))


def _activated(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE) * GAIN
