"""How far pictures and their features are from those of the truth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


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


def pyramid(made: Sequence[Tensor], truth: Tensor) -> Tensor:
    """L1 at several sizes, summed: GFPGAN's supervision of the U-Net that takes the degradation away.

    Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior" (CVPR 2021), section 3.2: the
    U-Net's pictures at each resolution are compared with the truth, brought down to it by averaging.

    Args:
        made: pictures (N, 3, S / 2^k, S / 2^k), any of them.
        truth: (N, 3, S, S).
    """
    return torch.stack(
        [absolute(one, functional.adaptive_avg_pool2d(truth, (one.shape[-2], one.shape[-1]))) for one in made]
    ).sum()


def masked(made: Tensor, truth: Tensor, mask: Tensor, inside: float) -> Tensor:
    """Inside a mask and outside: alpha |M (x - y)|_1 + (1 - alpha) |(1 - M) (x - y)|_1, as a mean over all numbers.

    Chen et al., "High Resolution Face Completion with Multiple Controllable Attributes via Fully End-to-End Progressive
    Generative Adversarial Networks" (2018), reconstruction loss.

    Args:
        made: (N, 3, H, W).
        truth: likewise.
        mask: (N, 1, H, W), 1 where the picture is made anew.
        inside: alpha, from 0 to 1.
    """
    difference = (made - truth).abs()
    return (inside * mask * difference + (1 - inside) * (1 - mask) * difference).mean()


def boundary_weights(mask: Tensor, radius: int) -> Tensor:
    """The boundary loss's w: high beside the mask's edge, falling on both sides of it.

    The paper blurs the mask's boundary with a mean filter. The boundary here is each pixel that has another value than
    one of its four neighbours.

    Args:
        mask: (N, 1, H, W) of 0 and 1.
        radius: pixels; the mean filter has 2 radius + 1 a side.

    Returns:
        (N, 1, H, W) from 0 to 1.
    """
    padded = functional.pad(mask, (1, 1, 1, 1), mode="replicate")
    shifted = (padded[..., 1:-1, :-2], padded[..., 1:-1, 2:], padded[..., :-2, 1:-1], padded[..., 2:, 1:-1])
    edge = torch.stack([(mask != one).to(mask.dtype) for one in shifted]).amax(0)
    return functional.avg_pool2d(edge, 2 * radius + 1, 1, radius, count_include_pad=False)


def boundary(made: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """|w (x - y)|_1 (the same paper, boundary loss), as a mean.

    Args:
        made: (N, 3, H, W).
        truth: likewise.
        weights: (N, 1, H, W), of `boundary_weights`.
    """
    return (weights * (made - truth).abs()).mean()


def attributes(logits: Tensor, wanted: Tensor) -> Tensor:
    """-sum_i [a_i log p_i + (1 - a_i) log(1 - p_i)], averaged over pictures (the same paper, attribute loss).

    Args:
        logits: (N, A); p = sigmoid(logits).
        wanted: (N, A) from 0 to 1.
    """
    return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1).mean()
