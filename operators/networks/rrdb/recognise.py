"""RRDBNet's arguments, read from the shapes of its tensors."""

from __future__ import annotations

import re
from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.networks.rrdb.names import NAMES

# Far above any published network; a layout that claims more is refused before a module is built.
_MOST_BLOCKS, _MOST_UPS = 256, 4
_FOLDED = {4: 2, 16: 4}
_FOLDED_COLOURS = {12: 2, 48: 4}
_PREFIX = {"basicsr": "body.", "basicsr-2018": "RRDB_trunk.", "esrgan": "model.1.sub."}


def rrdb_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `Rrdb`.

    Channels of the input that are 4 or 16 times those of the output, or of a picture in colour, mean that the input is
    folded by 2 or 4.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    kind = next((key for key, names in NAMES.items() if f"{names.dense(0, 1, 1)}.weight" in layout), None)
    if kind is None:
        raise LookupError("it has no body.0.rdb1.conv1.weight")
    names = NAMES[kind]
    blocks = counted(layout, _PREFIX[kind]) - (kind == "esrgan")
    ups = _ups(layout, kind)
    if blocks > _MOST_BLOCKS or ups > _MOST_UPS:
        raise ValueError(f"it has {blocks} blocks and {ups} doublings")
    features, entering = shape_at(layout, f"{names.first}.weight", 4)[:2]
    leaving = shape_at(layout, f"{names.last(ups)}.weight", 4)[0]
    times = entering // leaving if leaving > 0 and entering % leaving == 0 else 1
    fold = _FOLDED.get(times) or _FOLDED_COLOURS.get(entering, 1)
    return {
        "num_in_ch": entering // fold**2,
        "num_out_ch": leaving,
        "num_feat": features,
        "num_block": blocks,
        "num_grow_ch": shape_at(layout, f"{names.dense(0, 1, 1)}.weight", 4)[0],
        "ups": ups,
        "unshuffle": fold,
        "names": kind,
    }


def _ups(layout: Layout, kind: str) -> int:
    if kind == "esrgan":
        places = [int(match[1]) for match in (re.match(r"model\.(\d{1,3})\.weight$", name) for name in layout) if match]
        # The places of the last convolutions follow those of the doublings, three for each.
        return max(0, (max(places, default=4) - 4) // 3)
    return counted(layout, "conv_up" if kind == "basicsr" else "upconv", 1)
