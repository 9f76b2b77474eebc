"""PGGAN's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import MOST_LEVELS


def pggan_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `Pggan`, but for `lod`, which is a value.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    levels = counted(layout, "output")
    if not 2 <= levels < MOST_LEVELS:
        raise ValueError(f"it has {levels} resolutions")
    channels = [shape_at(layout, f"layer{2 * level + 1}.conv.weight", 4)[0] for level in range(levels)]
    return {
        "resolution": 2 << levels,
        "z_space_dim": shape_at(layout, "layer0.conv.weight", 4)[1],
        "image_channels": shape_at(layout, "output0.conv.weight", 4)[0],
        "fused_scale": "layer2.weight" in layout,
        # Channels are this divided by the resolution, rounded down: the largest product is the tightest bound.
        "fmaps_base": max(count * (4 << level) for level, count in enumerate(channels)),
        "fmaps_max": max(channels),
    }
