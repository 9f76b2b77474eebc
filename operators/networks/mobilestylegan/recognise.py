"""MobileStyleGAN's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import MOST_LEVELS


def mobilestylegan_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `MobileStyleGan`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    blocks = counted(layout, "synthesis.layers.")
    if not 1 <= blocks <= MOST_LEVELS - 3:
        raise ValueError(f"it has {blocks} resolutions beside the first")
    further = [shape_at(layout, f"synthesis.layers.{index}.conv2.conv.weight_permute", 4)[0] for index in range(blocks)]
    channels = [shape_at(layout, "synthesis.input.input", 4)[1], *further]
    return {
        "style_dim": shape_at(layout, "mapping.layers.0.weight", 2)[0],
        "n_mlp": counted(layout, "mapping.layers."),
        "channels": channels,
    }
