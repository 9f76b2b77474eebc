"""Arguments of the transformation network, read from the shapes of its tensors."""

from __future__ import annotations

import re
from typing import Any

from operators.networks.layout import Layout, counted, shape_at

_STATISTICS = re.compile(r"(res\d+\.)?in\d+\.(running_mean|running_var|num_batches_tracked)$")
_MOST_BLOCKS = 64


def transform_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `Transform`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    channels, _, _, large = shape_at(layout, "conv1.conv2d.weight", 4)
    blocks = counted(layout, "res", 1)
    if blocks > _MOST_BLOCKS:
        raise ValueError(f"it has {blocks} residual blocks")
    return {"channels": channels, "blocks": blocks, "large": large}


def transform_dropped(layout: Layout) -> frozenset[str]:
    """Names that the authors' loader leaves out: running statistics, which checkpoints of older releases hold."""
    return frozenset(name for name in layout if _STATISTICS.match(name))
