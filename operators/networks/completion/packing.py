"""The one tensor that goes into the generator: what is seen of the face, the mask, and the attributes."""

from __future__ import annotations

import torch
from torch import Tensor

SEEN, PACKED = 4, 5
"""Channels without attributes (red, green, blue, mask) and with them."""


def pack(pictures: Tensor, masks: Tensor, attributes: Tensor | None = None) -> Tensor:
    """Lay out the generator's input: I_obs = (1 - M) I with the mask behind it, and the attributes in a plane.

    What is masked is 0, the middle of the range, so that nothing of it can be seen. The attributes are no planes of
    their own, since forty of them at 1024 pixels would be 160 MB for each face: they are the first values of one
    plane, row by row, and the rest of it is 0.

    Args:
        pictures: (N, 3, S, S) in [-1, 1], RGB.
        masks: (N, 1, S, S) in [0, 1], 1 where the picture is to be made anew.
        attributes: (N, A) in [0, 1]; None for a generator that has none.

    Returns:
        (N, 4, S, S), or (N, 5, S, S) with attributes.

    Raises:
        ValueError: the attributes do not fit into a plane.
    """
    seen = torch.cat([pictures * (1.0 - masks), masks], dim=1)
    if attributes is None:
        return seen
    count, area = attributes.shape[1], seen.shape[2] * seen.shape[3]
    if count > area:
        raise ValueError(f"{count} attributes do not fit into a plane of {area} values; give them beside the pictures")
    plane = torch.zeros_like(masks).flatten(1)
    plane[:, :count] = attributes.to(plane.dtype)
    return torch.cat([seen, plane.view_as(masks)], dim=1)


def unpacked(x: Tensor, attributes: int) -> tuple[Tensor, Tensor]:
    """What `pack` has laid out: (N, 4, S, S), and (N, attributes), empty where there are none."""
    return x[:, :SEEN], x[:, SEEN:].flatten(1)[:, :attributes]
