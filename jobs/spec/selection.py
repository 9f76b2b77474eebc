"""The block `selection`: with it, every `facejobs run` of a restore job does what is due in a collection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block, Text, Texts
from jobs.spec.problems import nearest

BELOW = ("identity", "sharpness", "confidence")
ABOVE = ("niqe", "noise")


def check_measures(names: tuple[str, ...]) -> AfterValidator:
    """A check that a mapping has no other keys than these."""

    def check(limits: dict[str, float]) -> dict[str, float]:
        for name in limits:
            if name not in names:
                close = nearest(name, [*names])
                meant = f"; did you mean '{close}'?" if close else ""
                raise ValueError(f"expected measures out of {', '.join(names)}, found '{name}'{meant}")
        return limits

    return AfterValidator(check)


Below = Annotated[
    dict[str, float], check_measures(BELOW), Field(json_schema_extra={"propertyNames": {"enum": [*BELOW]}})
]
Above = Annotated[
    dict[str, float], check_measures(ABOVE), Field(json_schema_extra={"propertyNames": {"enum": [*ABOVE]}})
]


class Failed(Block):
    """Which records that failed before are tried again."""

    tries: int = Field(default=2, ge=1, le=1000)
    """Nights in which a record of one version is tried; 1 tries nothing again. Another model is worth one try more."""
    codes: Texts = ()
    """Only records that failed for these reasons; empty: all but those that the listing itself found wrong."""


class Deleted(Block):
    """What becomes of derivatives whose source is gone."""

    action: Literal["keep", "tombstone"] = "keep"
    """Keep the derivative, or delete it and leave a small record that says what it was."""
    most: float = Field(default=0.1, ge=0.0, le=1.0)
    """Share of the collection above which nothing is deleted, since the source is rather not there than empty."""


class Budget(Block):
    """How much is done in one night; the rest is carried over."""

    records: int | None = Field(default=None, ge=1)
    """Most records that a night begins."""
    hours: float | None = Field(default=None, gt=0.0, le=8760.0)
    """Hours after which no unit is begun any more; those under way are finished."""


class Selection(Block):
    """What is due in a night."""

    new: bool = True
    """Records that the collection does not have."""
    changed: Literal["version", "content", "never"] = "version"
    """Records whose source is another than it was: by etag, or size and modification time; by SHA-256, for which those
    that look changed are read; or not at all."""
    failed: Failed = Field(default_factory=Failed)
    """Records that are in quarantine."""
    outdated: Literal["never", "model", "settings", "any"] = "model"
    """Derivatives that another model has made, or other settings, or, with any, another version of facejobs."""
    below: Below = Field(default={})
    """Of what is outdated, only images with a restored face that scored below one of these."""
    above: Above = Field(default={})
    """Likewise with a face that scored above one of these."""
    where: Text | None = None
    """Condition in SQL on the columns of the catalogue, which everything that is due must meet."""
    deleted: Deleted = Field(default_factory=Deleted)
    """Sources that are gone."""
    budget: Budget = Field(default_factory=Budget)
    """How much is done in one night."""
