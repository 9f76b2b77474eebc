"""How far pictures and their features are from those of the truth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def absolute(made: Tensor, truth: Tensor) -> Tensor:
    """L1: the mean of |made - truth|.

    Args:
        made: any shape.
        truth: the same shape.
    """
    return (made - truth).abs().mean()


def squared(made: Tensor, truth: Tensor) -> Tensor:
    """L2: the mean of (made - truth)^2.

    Args:
        made: any shape.
        truth: the same shape.
    """
    return (made - truth).square().mean()


def feature_matching(made: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """L_F of GPEN: the discriminator's features of made and true pictures, L1, averaged in each layer and summed.

    Yang et al., "GAN Prior Embedded Network for Blind Face Restoration in the Wild" (CVPR 2021), equation 3, with L1 as
    in its released code in place of L2.

    Args:
        made: features by layer.
        truth: as many, without a gradient.
    """
    return torch.stack([absolute(one, other) for one, other in zip(made, truth, strict=True)]).sum()


def identity_distance(made: Tensor, truth: Tensor) -> Tensor:
    """1 - cosine of the angle between the vectors that stand for faces, averaged.

    GFPGAN's identity preserving loss (Wang et al. 2021, equation 7) measures the L1 distance of such vectors; the angle
    is what tells people apart.

    Args:
        made: (N, D) of length 1.
        truth: likewise.
    """
    return (1.0 - (made * truth).sum(1)).mean()
