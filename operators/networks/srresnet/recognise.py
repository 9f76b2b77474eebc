"""SRResNet's arguments, read from the shapes of its tensors."""

from __future__ import annotations

import math
from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.networks.srresnet.names import MODIFIED, NAMES

_MOST_BLOCKS, _MOST_UPS, _LARGEST_FACTOR = 256, 4, 8
_BLOCKS = {
    "leftthomas": ("block", 2),
    "lornatang": ("trunk.", 0),
    "sgrvinod": ("residual_blocks.", 0),
    "sgrvinod-srgan": ("net.residual_blocks.", 0),
}


def srresnet_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `SrResNet`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    kind = next((key for key, names in NAMES.items() if f"{names.block(0)[0]}.weight" in layout), None)
    if kind is None:
        raise LookupError(f"it has no {NAMES['leftthomas'].block(0)[0]}.weight")
    names = NAMES[kind]
    blocks = _blocks(layout, kind)
    channels, _, _, large = shape_at(layout, f"{names.first[0]}.weight", 4)
    block = names.block(0)
    factors: list[int] = []
    while (widening := f"{names.up(blocks, len(factors))[0]}.weight") in layout:
        factors.append(_factor(shape_at(layout, widening, 4)[:2], widening))
    _check(blocks, factors)
    return {
        "channels": channels,
        "blocks": blocks,
        "factors": factors,
        "small": shape_at(layout, f"{block[0]}.weight", 4)[3],
        "large": large,
        "bias": f"{block[0]}.bias" in layout,
        "slopes": shape_at(layout, f"{names.first[1]}.weight", 1)[0],
        "names": kind,
    }


def modified_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `ModifiedSrResNet`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    # The first block tells the names; without any, the convolution that only one set calls so does.
    kind = next((key for key, names in MODIFIED.items() if f"{names.body}0.conv1.weight" in layout), "basicsr")
    names = MODIFIED[kind]
    channels = shape_at(layout, "conv_first.weight", 4)[0]
    factors: list[int] = []
    while (widening := f"{names.up(len(factors) + 1)}.weight") in layout:
        factors.append(_factor(shape_at(layout, widening, 4)[:2], widening))
    if not factors:
        raise LookupError(f"it has no {names.up(1)}.weight")
    blocks = counted(layout, names.body)
    _check(blocks, factors)
    return {"channels": channels, "blocks": blocks, "factors": factors, "names": kind}


def _blocks(layout: Layout, kind: str) -> int:
    prefix, first = _BLOCKS[kind]
    count = counted(layout, prefix, first)
    if kind == "leftthomas":
        # Two further parts are called blocks: what is behind the residual ones, and what enlarges.
        return sum(f"block{first + number}.conv1.weight" in layout for number in range(min(count, _MOST_BLOCKS + 1)))
    return count


def _factor(shape: tuple[int, ...], name: str) -> int:
    leaving, entering = shape
    factor = math.isqrt(leaving // entering) if entering > 0 else 0
    if not 1 < factor <= _LARGEST_FACTOR or factor**2 * entering != leaving:
        raise ValueError(f"{name} widens {entering} channels to {leaving}; expected 4 or 9 times as many")
    return factor


def _check(blocks: int, factors: list[int]) -> None:
    if blocks > _MOST_BLOCKS or len(factors) > _MOST_UPS:
        raise ValueError(f"it has {blocks} blocks and {len(factors)} enlargements")
