"""What an inversion asks of a generator, and how the features of several codes become those of one picture.

Source: Gu, Shen, Zhou, "Image Processing Using Multi-Code GAN Prior" (CVPR 2020), section 3.1: with a generator cut at
layer l into G1 and G2, the picture of K codes is x = G2(sum_k G1(z_k) * alpha_k), where alpha_k weighs channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

_LEAST = 1e-8
"""Keeps the shares of pictures and styles defined where every importance is zero."""


@dataclass(frozen=True)
class Place:
    """A layer after which features can be composed.

    Attributes:
        layer: its number, from 1.
        resolution: side of its feature maps, in pixels.
        channels: of its feature maps.
    """

    layer: int
    resolution: int
    channels: int


@dataclass(frozen=True)
class Features:
    """What a generator has made of codes by some layer; everything that its later layers need.

    Attributes:
        maps: (M, C, h, w), the layer's output.
        picture: (M, 3, p, p), the picture of the resolutions before, where the generator adds pictures up; None where
            there is none yet, or never.
        styles: (M, L', D), what modulates the later layers; None where nothing does.
    """

    maps: Tensor
    picture: Tensor | None = None
    styles: Tensor | None = None


@runtime_checkable
class Prior(Protocol):
    """A generator with fixed weights. Codes, features and pictures are float32 on the generator's device.

    Attributes:
        name: of its architecture.
        resolution: side of its pictures, in pixels.
        layers: number of places where codes can be composed; they are 1 to `layers`.
        places: one for each of them, from the first.
        spaces: names of the spaces in which codes can be.
    """

    name: str
    resolution: int
    layers: int
    places: tuple[Place, ...]
    spaces: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        ...

    def code_shape(self, space: str) -> tuple[int, ...]:
        """Shape of one code; ValueError where the prior has no such space."""
        ...

    def start(self, count: int, space: str, generator: torch.Generator) -> Tensor:
        """Codes to begin an optimisation with, (count, *code_shape), drawn on the device of `generator`."""
        ...

    def mean_w(self) -> Tensor:
        """The mean of w, (D,); ValueError where the prior has no mapping network."""
        ...

    def channels(self, layer: int) -> int:
        """Channels of a layer's features; ValueError where there is no such layer."""
        ...

    def early(self, codes: Tensor, space: str, layer: int) -> Features:
        """G1: features of codes (M, *code_shape) after a layer."""
        ...

    def late(self, features: Features, space: str, layer: int) -> Tensor:
        """G2: pictures (M, 3, S, S), RGB in about [-1, 1], not clamped, of features after a layer."""
        ...

    def generate(self, codes: Tensor, space: str) -> Tensor:
        """Pictures (M, 3, S, S) of codes (M, *code_shape); the same bits as `late(early(...))` at any layer."""
        ...


def compose(features: Features, alpha: Tensor) -> Features:
    """Features of N pictures from those of N K codes.

    Maps are sum_k F_k * alpha_k, the paper's equation. What a generator carries beside its maps is no feature of a
    channel, so pictures and styles are averaged with the shares `shares(alpha)`: they stay within what the codes span,
    whatever the importance does. With K = 1 and alpha = 1 the result has the same bits.

    Args:
        features: of the codes; code k of picture n stands at n K + k.
        alpha: (N, K, C), the adaptive channel importance.

    Raises:
        ValueError: the features are not of N K codes, or of another number of channels.
    """
    count, codes, channels = alpha.shape
    maps = features.maps
    if maps.shape[:2] != (count * codes, channels):
        raise ValueError(
            f"features of {maps.shape[0]} codes with {maps.shape[1]} channels do not fit an importance for "
            f"{count} pictures of {codes} codes with {channels} channels"
        )
    weights = shares(alpha)
    return Features(
        maps=_weighted(maps, alpha[..., None, None]),
        picture=None if features.picture is None else _weighted(features.picture, weights[..., None, None, None]),
        styles=None if features.styles is None else _weighted(features.styles, weights[..., None, None]),
    )


def shares(alpha: Tensor) -> Tensor:
    """Each code's share in a picture: the mean magnitude of its importance, brought to the sum 1.

    Args:
        alpha: (N, K, C).

    Returns:
        (N, K), not negative; exactly 1 for a single code, and equal where every importance is zero.
    """
    strength = alpha.abs().mean(2) + _LEAST
    total = strength[:, 0]
    for code in range(1, strength.shape[1]):
        total = total + strength[:, code]
    return strength / total[:, None]


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Sum of (N K, ...) over each K with weights (N, K, ...), term by term.

    A sum over a dimension would begin with zero, which turns -0 into 0, and its order would be the library's.
    """
    grouped = values.reshape(*weights.shape[:2], *values.shape[1:])
    total: Tensor = grouped[:, 0] * weights[:, 0]
    for code in range(1, weights.shape[1]):
        total = total + grouped[:, code] * weights[:, code]
    return total


def place_at(prior: Prior, layer: int) -> Place:
    """The place of a layer.

    Raises:
        ValueError: the prior has no such layer.
    """
    if not 1 <= layer <= prior.layers:
        raise ValueError(f"layer {layer}: {prior.name} at {prior.resolution} pixels has layers 1 to {prior.layers}")
    return prior.places[layer - 1]


def check_space(prior: Prior, space: str) -> None:
    """Refuse a space that the prior does not have.

    Raises:
        ValueError: it has none of that name.
    """
    if space not in prior.spaces:
        raise ValueError(f"space {space!r}: {prior.name} takes codes in {', '.join(prior.spaces)}")


def check_codes(prior: Prior, codes: Tensor, space: str) -> None:
    """Refuse codes of another shape than the space's.

    Raises:
        ValueError: there is no such space, or the shape is another.
    """
    wanted = prior.code_shape(space)
    if tuple(codes.shape[1:]) != wanted:
        raise ValueError(f"codes of shape {tuple(codes.shape)}: {prior.name} in {space} takes (M, {wanted})")
