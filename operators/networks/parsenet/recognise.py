"""ParseNet's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import MOST_LEVELS

# Shapes tell how often the resolution is halved, not from where; this is where the published network ends.
_SMALLEST = 32
_MOST_HALVINGS = MOST_LEVELS - 5


def parsenet_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `ParseNet`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    base = shape_at(layout, "encoder.0.conv2d.weight", 4)[0]
    downs, ups = counted(layout, "encoder.") - 1, counted(layout, "decoder.")
    if max(downs, ups) > _MOST_HALVINGS:
        raise ValueError(f"the resolution is halved {downs} times and doubled {ups} times")
    deepest = shape_at(layout, f"encoder.{downs}.conv2.conv2d.weight", 4)[0] if downs else base
    classes, last = shape_at(layout, "out_mask_conv.conv2d.weight", 4)[:2]
    unclipped = (base << downs) >> ups
    return {
        "in_size": _SMALLEST << downs,
        "out_size": _SMALLEST << ups,
        "min_feat_size": _SMALLEST,
        "base_ch": base,
        "parsing_ch": classes,
        "res_depth": counted(layout, "body."),
        "ch_range": [last if last > unclipped else min(32, last, base), deepest],
    }
