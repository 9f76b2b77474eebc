"""The block `restore`: what improves the faces. One model of settings for each restorer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.classic import ClassicSettings
from jobs.spec.common import Block


class RestoreBlock(Block):
    """What all restorers have."""

    oversize: Literal["keep", "reduce"] = "keep"
    """A face much larger than the restorer works at: keep it as it is, or reduce its detail and restore it."""
    max_reduction: float = Field(default=1.25, ge=1.0, le=64.0)
    """Source pixels for each pixel of the restorer's crop above which a face counts as oversize."""
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the restored face in the result; 0 is the original, 1 the restorer's."""


class ClassicRestore(RestoreBlock):
    """Denoising, deblocking, scratches and dust, without a network."""

    model: Literal["classic"] = "classic"
    """Which restorer."""
    options: ClassicSettings = Field(default_factory=ClassicSettings)
    """Settings of the restorer."""


class NoneSettings(Block):
    """It has no settings."""


class NoneRestore(RestoreBlock):
    """Nothing is changed: faces are found and scored only."""

    model: Literal["none"]
    """Which restorer."""
    options: NoneSettings = Field(default_factory=NoneSettings)
    """It has none."""


DEFAULT_MODEL = "classic"
Restore = Annotated[ClassicRestore | NoneRestore, Field(union_mode="left_to_right")]
RESTORES: dict[str, type[RestoreBlock]] = {"classic": ClassicRestore, "none": NoneRestore}
