"""The three sets of names under which RRDBNet was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Names:
    """One set.

    Attributes:
        first: the first convolution.
        dense: of a convolution in a dense block, from block, dense block (1 to 3) and convolution (1 to 5).
        body: the convolution behind all blocks, from their number.
        up: the convolution behind a doubling, from its number, 1 for the first.
        hr: the last but one, from the number of doublings.
        last: the last, from the number of doublings.
    """

    first: str
    dense: Callable[[int, int, int], str]
    body: Callable[[int], str]
    up: Callable[[int], str]
    hr: Callable[[int], str]
    last: Callable[[int], str]


NAMES: Mapping[str, Names] = MappingProxyType(
    {
        "basicsr": Names(
            first="conv_first",
            dense=lambda block, dense, conv: f"body.{block}.rdb{dense}.conv{conv}",
            body=lambda blocks: "conv_body",
            up=lambda number: f"conv_up{number}",
            hr=lambda ups: "conv_hr",
            last=lambda ups: "conv_last",
        ),
        "basicsr-2018": Names(
            first="conv_first",
            dense=lambda block, dense, conv: f"RRDB_trunk.{block}.RDB{dense}.conv{conv}",
            body=lambda blocks: "trunk_conv",
            up=lambda number: f"upconv{number}",
            hr=lambda ups: "HRconv",
            last=lambda ups: "conv_last",
        ),
        "esrgan": Names(
            first="model.0",
            dense=lambda block, dense, conv: f"model.1.sub.{block}.RDB{dense}.conv{conv}.0",
            body=lambda blocks: f"model.1.sub.{blocks}",
            up=lambda number: f"model.{3 * number}",
            hr=lambda ups: f"model.{3 * ups + 2}",
            last=lambda ups: f"model.{3 * ups + 4}",
        ),
    }
)
"""By what made them: BasicSR and Real-ESRGAN; BasicSR at the time of ESRGAN; ESRGAN's first release, names by place."""
