"""The block `restore`: what improves the faces. One model of settings for each restorer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.classic import ClassicSettings
from jobs.spec.common import Block, Text
from jobs.spec.engine import Engine
from jobs.spec.generator import GeneratorSettings


class RestoreBlock(Block):
    """What all restorers have."""

    oversize: Literal["keep", "reduce"] = "keep"
    """A face much larger than the restorer works at: keep it as it is, or reduce its detail and restore it."""
    max_reduction: float = Field(default=1.25, ge=1.0, le=64.0)
    """Source pixels for each pixel of the restorer's crop above which a face counts as oversize."""
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the restored face in the result; 0 is the original, 1 the restorer's."""
    mask: Literal["auto", "landmarks", "parsing"] = "auto"
    """Where a face is pasted: in an oval from its landmarks, or in its shape by face parsing; auto is the better one
    that there is a model for."""


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


class GeneratorRestore(RestoreBlock):
    """A network with weights: GFPGAN or GPEN, by the name of a model."""

    model: Annotated[
        Text,
        Field(json_schema_extra={"not": {"enum": ["classic", "none"]}, "examples": ["gfpgan-1.4", "gpen-bfr-512"]}),
    ]
    """Which model: a name that `facejobs models list` shows."""
    options: GeneratorSettings = Field(default_factory=GeneratorSettings)
    """Settings of the restorer."""
    engine: Engine = Field(default_factory=Engine)
    """What executes the network."""


DEFAULT_MODEL = "classic"
Restore = Annotated[ClassicRestore | NoneRestore | GeneratorRestore, Field(union_mode="left_to_right")]
RESTORES: dict[str, type[RestoreBlock]] = {"classic": ClassicRestore, "none": NoneRestore}
"""Restorers that need no file; every other name is one of a model with weights."""
