"""What the models that restore faces share in a train job: sizes, alignments, channels, weights of terms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field


def check_side(side: int) -> int:
    """A size that StyleGAN2's layers can have.

    Raises:
        ValueError: says what is expected.
    """
    if side & (side - 1):
        raise ValueError("expected a power of two, such as 128, 256 or 512")
    return side


Side = Annotated[int, Field(ge=8, le=4096), AfterValidator(check_side)]
Template = Literal["ffhq", "gpen", "head"]
Channels = Annotated[float, Field(gt=0.0, le=16.0)]
Weight = Annotated[float, Field(ge=0.0, le=1e6)]
