"""The generator of completion as it is executed: fully grown, its equalised weights multiplied out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.completion.generator import CompletionGenerator
from operators.networks.completion.layers import Decoder, Encoder, Layer, Skip
from operators.networks.completion.levels import SMALLEST
from operators.networks.completion.packing import unpacked
from operators.networks.completion.tone import tone_of, without_tone
from operators.networks.folded.constants import conv_bias, conv_weight, exact_linear
from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.folded.exact import Exact
from operators.networks.layers.equalised import GAIN, SLOPE, EqualConv2d


class FoldedNorm(Exact):
    """Instance normalisation in float32, whatever the convolutions compute in, and leaky ReLU.

    Args:
        norm: to be folded; it has a scale and a shift.
        activate: leaky ReLU at the end.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, norm: nn.InstanceNorm2d, *, activate: bool) -> None:
        super().__init__()
        self.keep("weight", norm.weight.view(1, -1, 1, 1))
        self.keep("bias", norm.bias.view(1, -1, 1, 1))
        self.eps = norm.eps
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) of any float type onto itself."""
        wide = x.float()
        centred = wide - wide.mean((2, 3), keepdim=True)
        spread = centred.square().mean((2, 3), keepdim=True)
        y = (centred * (torch.rsqrt(spread + self.eps) * self.weight) + self.bias).to(x.dtype)
        return functional.leaky_relu(y, SLOPE, inplace=True) if self.activate else y


class FoldedLayer(nn.Module):
    """Convolution, normalisation, activation.

    Args:
        layer: to be folded.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.conv = FrozenConv2d(conv_weight(layer.conv), padding=1)
        self.norm = FoldedNorm(layer.norm, activate=layer.activate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        y: Tensor = self.norm(self.conv(x))
        return y


class FoldedLevel(nn.Module):
    """What one resolution has on the way down, across and up.

    Args:
        encoder: to be folded.
        skip: likewise; anything but a `Skip` copies.
        decoder: likewise.
    """

    def __init__(self, encoder: Encoder, skip: nn.Module, decoder: Decoder) -> None:
        super().__init__()
        self.first = FoldedLayer(encoder.first)
        self.second = None if encoder.second is None else FoldedLayer(encoder.second)
        blocks = (skip.first, skip.second) if isinstance(skip, Skip) else ()
        self.across = nn.Sequential(*(FoldedLayer(block) for block in blocks))
        self.upwards = None if decoder.first is None else FoldedLayer(decoder.first)
        self.merge = FoldedLayer(decoder.merge)

    def down(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The features for the way up, (N, C, H, W), and those of the level below."""
        handed: Tensor = self.first(x)
        below = handed if self.second is None else functional.avg_pool2d(self.second(handed), 2)
        return (handed + self.across(handed) if len(self.across) else handed), below

    def up(self, x: Tensor, beside: Tensor) -> Tensor:
        """From the features of the level below to those of this one, (N, C, H, W)."""
        if self.upwards is not None:
            x = self.upwards(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        y: Tensor = self.merge(torch.cat([x, beside], dim=1))
        return y


class FoldedCompletion(nn.Module):
    """The generator, frozen; layers that only smaller stages of the growth use are not kept.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: CompletionGenerator) -> None:
        super().__init__()
        self.attributes = network.attributes
        self.enter = _activated(network.from_picture[-1])
        self.levels = nn.ModuleList(
            FoldedLevel(encoder, skip, decoder)
            for encoder, skip, decoder in zip(network.encoder, network.skips, network.decoder, strict=True)
            if isinstance(encoder, Encoder) and isinstance(decoder, Decoder)
        )
        self.squeeze = _activated(network.squeeze)
        self.expand = exact_linear(network.expand)
        leave = network.to_picture[-1]
        self.leave = FrozenConv2d(conv_weight(leave), conv_bias(leave))

    def forward(self, x: Tensor) -> Tensor:
        """Complete (N, 4 or 5, S, S), any float type, to (N, 3, S, S) float32; convolutions in the weights' type."""
        dtype = self.leave.weight.dtype
        seen, attributes = unpacked(x.float(), self.attributes)
        mean, deviation = tone_of(seen)
        features: Tensor = self.enter(without_tone(seen, mean, deviation).to(dtype))
        beside: list[Tensor] = []
        levels = [level for level in self.levels if isinstance(level, FoldedLevel)]
        for level in reversed(levels):
            handed, features = level.down(features)
            beside.append(handed)
        latent = torch.cat([self.squeeze(features).flatten(1).float(), attributes], dim=1)
        features = self.expand(latent).view(-1, self.squeeze.weight.shape[0], SMALLEST, SMALLEST).to(dtype)
        for level in levels:
            features = level.up(features, beside.pop())
        picture: Tensor = self.leave(features).float() * deviation + mean
        return picture


def _activated(conv: nn.Module) -> FrozenConv2d:
    """A convolution with bias, leaky ReLU and its gain."""
    assert isinstance(conv, EqualConv2d)
    return FrozenConv2d(conv_weight(conv, GAIN), conv_bias(conv) * GAIN, activate=True)
