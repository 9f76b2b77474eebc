"""How different two pictures look, by the features of a network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from operators.features.contract import FeatureNetwork

_TINY = 1e-10


def perceptual_distances(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> Tensor:
    """LPIPS's distance between feature maps, with all channels counting alike.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018), equation 1 with
    w = 1: each pixel's features are brought to length 1, squared differences are summed over channels, averaged over
    the map, and summed over layers.

    Args:
        first: (N, C, h, w) by layer.
        second: likewise.

    Returns:
        (N,), 0 for equal maps, at most 4 times the number of layers.
    """
    terms = [(_unit(first[name]) - _unit(second[name])).square().sum(1).mean((1, 2)) for name in first]
    return torch.stack(terms).sum(0)


def perceptual_distance(network: FeatureNetwork, first: Tensor, second: Tensor) -> Tensor:
    """`perceptual_distances` of pictures.

    Args:
        network: whose features count.
        first: (N, 3, H, W) RGB in [-1, 1].
        second: likewise.

    Returns:
        (N,).
    """
    return perceptual_distances(network(first), network(second))


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True) + _TINY).sqrt()
