"""Settings of the restorer `anonymize`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Method = Literal["blur", "pixelate", "mean", "generated", "fill"]
METHODS: tuple[Method, ...] = get_args(Method)
MIN_CELL, MAX_CELL = 0.25, 2.0
MAX_MARGIN = 1.4
"""Largest oval that the crop of the template `head` holds with its feather."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class AnonymizeOptions:
    """How faces are made unrecognisable.

    Attributes:
        method: `blur` and `pixelate` leave nothing finer than a cell, `mean` shows the mean of many faces, `generated`
            a face that a prior has drawn, `fill` a plain colour.
        cell: side of a cell of blur and pixelate, in distances between the eyes.
        margin: factor of the radii of the oval that is covered.
        colour: of `fill`: `#rrggbb`, or `auto` for the mean colour around the head.
        prior: name of the model that draws faces, of `generated`.
        sha256: content hash of that model's file.
        sealed: whether the original is kept in the sidecar, sealed with a passcode.

    Raises:
        ValueError: a value is not allowed, or the prior is missing or has no use.
    """

    method: Method = "pixelate"
    cell: float = 0.6
    margin: float = 1.0
    colour: str = "auto"
    prior: str = ""
    sha256: str = ""
    sealed: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method: {self.method!r} found, expected one of {', '.join(METHODS)}")
        if not MIN_CELL <= self.cell <= MAX_CELL:
            raise ValueError(f"cell: {self.cell!r} found, expected a number from {MIN_CELL:g} to {MAX_CELL:g}")
        if not 1.0 <= self.margin <= MAX_MARGIN:
            raise ValueError(f"margin: {self.margin!r} found, expected a number from 1 to {MAX_MARGIN:g}")
        if self.colour != "auto" and not _COLOUR.fullmatch(self.colour):
            raise ValueError(f"colour: {self.colour!r} found, expected auto or six digits such as '#808080'")
        if (self.method == "generated") != bool(self.prior and self.sha256):
            raise ValueError("prior: expected the name and hash of a model with the method generated, and only with it")
