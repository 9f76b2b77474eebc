"""Arguments of CycleGAN's generator, read from the names and shapes of its tensors."""

from __future__ import annotations

import re
from typing import Any

from operators.networks.cyclegan.network import DOWNS
from operators.networks.layout import Layout, shape_at
from operators.networks.pix2pix.recognise import statistics_without_weight

_FIRST_BLOCK = 4 + 3 * DOWNS
_MOST_BLOCKS = 64


def cyclegan_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `CycleGan`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    features, entering = shape_at(layout, "model.1.weight", 4)[:2]
    blocks = {
        int(match[1]) for match in (re.match(r"model\.(\d{1,4})\.conv_block\.", name) for name in layout) if match
    }
    count = len(blocks)
    if blocks != set(range(_FIRST_BLOCK, _FIRST_BLOCK + count)) or count > _MOST_BLOCKS:
        raise ValueError(f"its residual blocks have the numbers {sorted(blocks)[:4]}; expected {_FIRST_BLOCK} and on")
    last = f"model.{_FIRST_BLOCK + count + 3 * DOWNS + 1}.weight"
    norm = "batch" if "model.2.weight" in layout else "instance" if "model.1.bias" in layout else "none"
    return {
        "input_nc": entering,
        "output_nc": shape_at(layout, last, 4)[0],
        "ngf": features,
        "n_blocks": count,
        "norm": norm,
        **_block(layout),
    }


def _block(layout: Layout) -> dict[str, Any]:
    """What the places of a block's two convolutions tell: padding has a place of its own, and dropout has."""
    at = f"model.{_FIRST_BLOCK}.conv_block"
    mirrored = f"{at}.0.weight" not in layout
    second = (5 if mirrored else 3) + 1
    return {
        "padding": "reflect" if mirrored else "zero",
        "use_dropout": len(layout.get(f"{at}.{second}.weight", ())) == 4,
    }


def cyclegan_dropped(layout: Layout) -> frozenset[str]:
    """Names that the authors' loader leaves out: running statistics of instance normalisation, of older releases."""
    return statistics_without_weight(layout)
