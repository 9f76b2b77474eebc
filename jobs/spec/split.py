"""The block `split` of a pairs job: what is trained on and what is held back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from jobs.spec.common import Block, Text
from jobs.spec.samples import FaceSamples, SamplesBlock

PART = r"[a-z0-9_-]{1,32}"
RESERVED = ("_facejobs", "data", "records")
"""Folders that a run or a format has beside those of the parts."""
MOST_PARTS = 16


def check_parts(value: object) -> object:
    """A mapping of some parts; their names are looked at one by one, so that each is named where it stands.

    Raises:
        ValueError: says what is expected.
    """
    if not isinstance(value, dict) or not value:
        raise ValueError("expected names of parts with their shares, such as {train: 0.9, val: 0.1}")
    if len(value) > MOST_PARTS:
        raise ValueError(f"expected at most {MOST_PARTS} parts, found {len(value)}")
    return value


Share = Annotated[float, Field(gt=0.0, le=1_000_000.0)]
Parts = Annotated[
    dict[str, Share],
    Field(
        min_length=1,
        max_length=MOST_PARTS,
        json_schema_extra={"propertyNames": {"pattern": f"^{PART}$", "not": {"enum": [*RESERVED]}}},
    ),
    BeforeValidator(check_parts),
]


Together = Literal["identity", "source", "column"]


class Split(Block):
    """Parts, and what must not lie in two of them."""

    parts: Parts = Field(default={"train": 1.0})
    """Names of the parts with their shares; these are divided by their sum."""
    by: Literal["auto", "identity", "source", "column"] = "auto"
    """What stays together: a person, an image, or what a catalogue says; auto is identity for faces, else source."""
    column: Text | None = None
    """The catalogue's column that names the person, or whatever stays together."""
    similarity: float = Field(default=0.425, ge=0.0, le=1.0)
    """Cosine of two face embeddings from which on they count as one person."""


def kept_together(split: Split, samples: SamplesBlock) -> Together:
    """What must lie in one part."""
    if split.by != "auto":
        return split.by
    return "identity" if isinstance(samples, FaceSamples) else "source"
