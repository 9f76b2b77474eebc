"""Settings of the transformation network; defaults are the paper's where its network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operators.training.schedules.contract import Common

_ENLARGEMENTS = (2, 3, 4, 8)
_HALVED = 4
"""The network halves twice."""
_LEAST = 32
"""Pixels a side that a feature network takes."""


@dataclass(frozen=True)
class Network:
    """The network, and what it is to learn.

    Attributes:
        task: `style`, the style of one picture for any other; or `super_resolution`: pictures that were enlarged
            bicubically get their detail back. The paper enlarges inside of another network; this one keeps the size.
        size: pixels a side of the samples, a multiple of 4, at least 32.
        enlargement: for `super_resolution`: how many times pictures were enlarged: 2, 3, 4 or 8.
        style_size: for `style`: shorter side in pixels to which the style picture is brought, which says how large
            its strokes are.
        channels: at full resolution.
        blocks: residual blocks.
        large: side of the first and last kernel, odd.
    """

    task: Literal["style", "super_resolution"] = "style"
    size: int = 256
    enlargement: int = 4
    style_size: int = 256
    channels: int = 32
    blocks: int = 5
    large: int = 9

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        if self.task not in ("style", "super_resolution"):
            raise ValueError(f"task is {self.task!r}; expected style or super_resolution")
        if self.size < _LEAST or self.size % _HALVED:
            raise ValueError(f"size is {self.size}; expected a multiple of {_HALVED} from {_LEAST} on")
        if self.enlargement not in _ENLARGEMENTS:
            raise ValueError(f"enlargement is {self.enlargement}; expected one of {', '.join(map(str, _ENLARGEMENTS))}")
        if self.task == "super_resolution" and self.size % self.enlargement:
            raise ValueError(f"size is {self.size}; expected a multiple of the enlargement, {self.enlargement}")
        if self.style_size < _LEAST:
            raise ValueError(f"style_size is {self.style_size}; expected {_LEAST} or more")
        if self.large % 2 == 0 or not 1 <= self.large <= self.size:
            raise ValueError(f"large is {self.large}; expected an odd number of pixels, at most size")
        for name in ("channels", "blocks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")


@dataclass(frozen=True)
class Objective:
    """Weights of what the network minimises (section 3.2).

    Attributes:
        content: squared distance of features from those of the picture (equation 2).
        style: squared distance of Gram matrices from those of the style picture (equation 4); for `style` only.
        variation: mean squared difference of neighbouring pixels. The paper's 1e-6 to 1e-4 for sums over pictures of
            256 pixels in [0, 255] are about 1 to 100 here.
    """

    content: float = 1.0
    style: float = 5.0
    variation: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError for weights below 0, or neither content nor style."""
        for name in ("content", "style", "variation"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 0 or more")
        if self.content == self.style == 0:
            raise ValueError("content is 0, and so is style; expected one of them above 0")


@dataclass(frozen=True)
class Schedule(Common):
    """Adam with its usual betas."""

    steps: int = 40_000
    batch: int = 4
    rate: float = 1e-3
    half_life: float = 0.0
