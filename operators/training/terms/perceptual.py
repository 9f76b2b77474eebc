"""How features of a fixed network differ: their values, and what they are made of wherever it lies."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

Maps = Mapping[str, Tensor]


def feature_content(made: Maps, truth: Maps, weights: Mapping[str, float]) -> Tensor:
    """sum_l w_l mean (phi_l(x) - phi_l(y))^2.

    Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (2016), equation 2;
    SRGAN's content loss (Ledig et al. 2017, equation 5) is the same with one layer.

    Args:
        made: (N, C, h, w) by layer.
        truth: likewise.
        weights: by layer; layers without one do not count.
    """
    return torch.stack([weight * (made[name] - truth[name]).square().mean() for name, weight in weights.items()]).sum()


def gram(features: Tensor) -> Tensor:
    """Which channels are strong together: psi psi^T / (C H W) (the same paper, equation 3).

    Args:
        features: (N, C, H, W).

    Returns:
        (N, C, C).
    """
    count, channels, height, width = features.shape
    flat = features.reshape(count, channels, height * width)
    return torch.bmm(flat, flat.transpose(1, 2)) / (channels * height * width)


def style(made: Maps, truth: Maps, weights: Mapping[str, float]) -> Tensor:
    """sum_l w_l |G_l(x) - G_l(y)|_F^2, averaged over pictures (the same paper, equation 4).

    Args:
        made: (N, C, h, w) by layer.
        truth: (N, C, h, w) by layer; or of one picture, for all.
        weights: by layer.
    """
    terms = [
        weight * (gram(made[name]) - gram(truth[name])).square().sum((1, 2)).mean() for name, weight in weights.items()
    ]
    return torch.stack(terms).sum()
