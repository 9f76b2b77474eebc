"""Eyes and mouth by themselves: squares around landmarks, for discriminators that look at nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from operators.training.terms.perceptual import gram

EYE, MOUTH = 80 / 512, 120 / 512
"""Sides of GFPGAN's squares as shares of the face's crop."""


def regions(pictures: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
    """Left eye, right eye and mouth, cut out by bilinear sampling.

    GFPGAN (Wang et al. 2021, section 3.3) takes squares of 80, 80 and 120 pixels of 512 by ROI align; sampled at the
    grid's own pixels, as here, it is the same with one sample for each bin.

    Args:
        pictures: (N, 3, S, S).
        landmarks: (N, 5, 2) in pixels, the pixels' centres being whole numbers: left eye, right eye, nose, left and
            right corner of the mouth.

    Returns:
        `left_eye` and `right_eye`, (N, 3, round(80 S / 512), ...), and `mouth`, (N, 3, round(120 S / 512), ...).
    """
    size = pictures.shape[-1]
    centres = {
        "left_eye": (landmarks[:, 0], EYE),
        "right_eye": (landmarks[:, 1], EYE),
        "mouth": ((landmarks[:, 3] + landmarks[:, 4]) / 2, MOUTH),
    }
    return {name: _square(pictures, centre, round(share * size)) for name, (centre, share) in centres.items()}


def component_style(made: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """The sum over layers of |Gram(psi(x)) - Gram(psi(y))|_1, psi being a local discriminator's features.

    GFPGAN's feature style loss (equation 5), the sum over a Gram matrix as a mean, as in its released code.

    Args:
        made: (N, C, h, w), by layer.
        truth: as many, without a gradient.
    """
    return torch.stack([(gram(one) - gram(other)).abs().mean() for one, other in zip(made, truth, strict=True)]).sum()


def _square(pictures: Tensor, centres: Tensor, side: int) -> Tensor:
    """Pixels around centres (N, 2), (N, C, side, side); beyond the edge its pixels are repeated."""
    size = pictures.shape[-1]
    steps = torch.arange(side, device=pictures.device, dtype=pictures.dtype) - (side - 1) / 2
    x = centres[:, 0, None, None] + steps[None, None, :].expand(1, side, side)
    y = centres[:, 1, None, None] + steps[None, :, None].expand(1, side, side)
    grid = torch.stack([x, y], dim=-1).to(pictures.dtype) * (2 / size) + (1 / size - 1)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)
