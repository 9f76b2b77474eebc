"""From codes and importances to pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from operators.inversion.options import SearchOptions
from operators.inversion.priors.contract import Features, Prior, compose


def picture_of(prior: Prior, codes: Tensor, alpha: Tensor, options: SearchOptions) -> Tensor:
    """Pictures of N faces with K codes each: G2(sum_k G1(z_k) * alpha_k), equation 3 of the paper.

    Args:
        prior: the generator.
        codes: (N, K, *code_shape).
        alpha: (N, K, C).
        options: layer, space and chunk.

    Returns:
        (N, 3, S, S), RGB in about [-1, 1].
    """
    features = _early(prior, codes.flatten(0, 1), options)
    return prior.late(compose(features, alpha), options.space, options.layer)


def _early(prior: Prior, codes: Tensor, options: SearchOptions) -> Features:
    if not options.chunk or len(codes) <= options.chunk or not codes.requires_grad:
        return prior.early(codes, options.space, options.layer)
    made = [_again(prior, part, options) for part in torch.split(codes, options.chunk)]
    return Features(
        torch.cat([one.maps for one in made]),
        _joined([one.picture for one in made]),
        _joined([one.styles for one in made]),
    )


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


def _again(prior: Prior, codes: Tensor, options: SearchOptions) -> Features:
    """Features whose way there is forgotten, and gone once more for the gradient."""
    features: Features = checkpoint(
        prior.early, codes, options.space, options.layer, use_reentrant=False, preserve_rng_state=False
    )
    return features
