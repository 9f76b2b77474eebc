"""Arguments of the networks of completion, read from the shapes of their tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.completion.levels import SMALLEST
from operators.networks.layout import Layout, counted, shape_at
from operators.widths import MOST_LEVELS


def completion_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `CompletionGenerator`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    widths = _widths(layout)
    inputs = shape_at(layout, "expand.weight", 2)[1]
    return {
        "size": SMALLEST << (len(widths) - 1),
        "channels": widths,
        "attributes": inputs - widths[0],
        "conditional": "skips.0.first.conv.weight" in layout,
    }


def discriminator_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `CompletionDiscriminator`, for checkpoints of training.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    widths = _widths(layout)
    told = shape_at(layout, "attributes.weight", 2)[0] if "attributes.weight" in layout else 0
    return {"size": SMALLEST << (len(widths) - 1), "channels": widths, "attributes": told}


def _widths(layout: Layout) -> list[int]:
    levels = counted(layout, "from_picture.")
    if not 1 <= levels < MOST_LEVELS:
        raise ValueError(f"it has {levels} resolutions")
    return [shape_at(layout, f"from_picture.{level}.weight", 4)[0] for level in range(levels)]
