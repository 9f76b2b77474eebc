"""The tone of what is seen of a face, taken off before the network and put back behind it.

Instance normalisation takes the mean and the strength of every feature away, and with them whether a print is dark or
faded: a U-Net normalised throughout fills holes in a tone of its own. So the picture itself is normalised by what is
seen of it, and what the network makes is brought back by the same numbers; docs/completion.md has what that is worth.
"""

from __future__ import annotations

import torch
from torch import Tensor

_FLOOR = 0.05
"""Added to the deviation's square: a face that is nearly flat, or nearly all masked, is not blown up."""


def tone_of(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of each colour and the deviation of all, over what is seen.

    Args:
        seen: (N, 4, S, S) float32 as `packing.pack` has it: the picture, 0 under the mask, and the mask.

    Returns:
        (N, 3, 1, 1) and (N, 1, 1, 1); 0 and the floor where nothing is seen.
    """
    picture, known = seen[:, :3], 1.0 - seen[:, 3:4]
    weight = known.sum((2, 3), keepdim=True).clamp(min=1.0)
    mean = picture.sum((2, 3), keepdim=True) / weight
    spread = (picture - known * mean).square().mean(1, keepdim=True).sum((2, 3), keepdim=True) / weight
    return mean, torch.sqrt(spread + _FLOOR**2)


def without_tone(seen: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """The same with mean 0 and deviation 1 where the picture is seen, and 0 where it is not; the mask as it was."""
    known = 1.0 - seen[:, 3:4]
    return torch.cat([(seen[:, :3] - known * mean) / deviation, seen[:, 3:4]], dim=1)
