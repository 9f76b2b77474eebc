"""The block `degrade` of a pairs job: how good pictures are made bad, and how often."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from jobs.spec.common import Block, Text, check_text


def check_recipe(value: object) -> object:
    """One line of text, or a mapping; what they mean is looked at when the job file's place is known.

    Raises:
        ValueError: says what is expected.
    """
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, dict):
        return value
    raise ValueError("expected the name of a shipped recipe, a YAML file, or a mapping with recipe, source and steps")


class Degrade(Block):
    """The recipe, and how many pairs it makes."""

    recipe: Annotated[Text | dict[str, Any], BeforeValidator(check_recipe)]
    """A shipped recipe by name, a YAML file relative to the job file, or a recipe written out here."""
    variants: int | None = Field(default=None, ge=1, le=1_000_000)
    """Pairs from each sample; null is 1, unless `pairs` is given."""
    pairs: int | None = Field(default=None, ge=1, le=10_000_000_000)
    """Pairs in all, spread over the samples as evenly as can be."""
