"""The damage network's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.damage.network import PLANES
from operators.networks.layout import Layout, counted, shape_at

_MOST_LEVELS = 7


def damage_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `DamageUnet`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    levels = counted(layout, "down.")
    if not 2 <= levels <= _MOST_LEVELS:
        raise ValueError(f"it has {levels} resolutions; 2 to {_MOST_LEVELS} were expected")
    planes = shape_at(layout, "down.0.0.conv.weight", 4)[1]
    if planes != PLANES:
        raise ValueError(f"it takes {planes} planes; {PLANES} were expected")
    widths = [shape_at(layout, f"down.{level}.0.conv.weight", 4)[0] for level in range(levels)]
    return {"kinds": shape_at(layout, "head.weight", 4)[0], "widths": widths}
