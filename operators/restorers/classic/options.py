"""Settings of the classic restorer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Switch = Literal["auto", "off"]
Strength = Switch | float


@dataclass(frozen=True)
class ClassicOptions:
    """What the classic restorer does to a face.

    `auto` measures in each face whether a step is needed and how strong. YAML 1.1 reads a bare `off` as false and `on`
    as true; both are understood.

    Attributes:
        denoise: `auto`, `off`, or the standard deviation of the noise in 8-bit levels, 0 to 100.
        deblock: `auto`, `off`, or the size of the JPEG artefacts to smooth, in 8-bit levels, 0 to 100.
        scratches: `auto` or `off`: thin white lines across the skin are filled from their surroundings.
        dust: `auto` or `off`: small white specks on the skin are filled from their surroundings.
        fading: share of the lost tonal range and of the colour cast that is taken back, 0 to 1. Off by default: only
            the face's square is changed, and a face whose tones differ from its picture looks pasted in.

    Raises:
        ValueError: a value is not one of these.
    """

    denoise: Strength = "auto"
    deblock: Strength = "auto"
    scratches: Switch = "auto"
    dust: Switch = "auto"
    fading: float = 0.0

    def __post_init__(self) -> None:
        for name in ("denoise", "deblock"):
            object.__setattr__(self, name, _strength(name, getattr(self, name)))
        for name in ("scratches", "dust"):
            value = _switch(getattr(self, name))
            if value not in ("auto", "off"):
                raise ValueError(f"{name}: {value!r} found, expected auto or off")
            object.__setattr__(self, name, value)
        fading = 0.0 if _switch(self.fading) == "off" else self.fading
        object.__setattr__(self, "fading", _number("fading", fading, 1.0, "a number from 0 to 1"))


def _switch(value: object) -> object:
    """YAML's booleans as the words they were written as."""
    if isinstance(value, bool):
        return "auto" if value else "off"
    return value


def _strength(name: str, value: object) -> Strength:
    word = _switch(value)
    if word == "auto":
        return "auto"
    if word == "off":
        return "off"
    return _number(name, word, 100.0, "auto, off or a number from 0 to 100")


def _number(name: str, value: object, most: float, expected: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0 <= value <= most
    ):
        raise ValueError(f"{name}: {value!r} found, expected {expected}")
    return float(value)
