"""Settings of the restorer `classic` as a job file writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from jobs.spec.common import Block

MAX_LEVELS = 100.0


def check_strength(value: object) -> object:
    """`auto`, `off` or a number of 8-bit levels; anything else is refused.

    Raises:
        ValueError: says what is expected.
    """
    if value in ("auto", "off"):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_LEVELS:
        return float(value)
    raise ValueError(f"expected 'auto', 'off' or a number from 0 to {MAX_LEVELS:g}")


Strength = Annotated[
    float | Literal["auto", "off"],
    BeforeValidator(check_strength),
    WithJsonSchema({"anyOf": [{"enum": ["auto", "off"]}, {"type": "number", "minimum": 0, "maximum": MAX_LEVELS}]}),
]


class ClassicSettings(Block):
    """Which repairs are made; `auto` measures in each face whether one is needed and how strong."""

    denoise: Strength = "auto"
    """Noise: auto, off, or its standard deviation in 8-bit levels, 0 to 100."""
    deblock: Strength = "auto"
    """JPEG artefacts: auto, off, or their size in 8-bit levels, 0 to 100."""
    scratches: Literal["auto", "off"] = "auto"
    """Thin bright or dark lines, filled from their surroundings."""
    dust: Literal["auto", "off"] = "auto"
    """Small white specks, filled from their surroundings."""
    fading: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of lost tonal range and of a colour cast that is taken back inside the face's square, 0 to 1."""
