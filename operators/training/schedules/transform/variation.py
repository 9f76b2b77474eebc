"""Total variation: how much a picture changes from pixel to pixel."""

from __future__ import annotations

from torch import Tensor


def variation(pictures: Tensor) -> Tensor:
    """The mean of (x[i, j + 1] - x[i, j])^2, and of (x[i + 1, j] - x[i, j])^2, summed.

    Johnson et al., section 3.2.3, after Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting
    Them" (2015), equation 3 with beta = 2; means in place of sums, so that the size of pictures does not matter.

    Args:
        pictures: (N, C, H, W), H and W of 2 or more.
    """
    across = (pictures[..., :, 1:] - pictures[..., :, :-1]).square().mean()
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).square().mean()
    return across + down
