"""The block `background`: a network that is run over the whole picture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block, Text
from jobs.spec.engine import Engine


class Background(Block):
    """What is made of the whole picture, beside or before the faces."""

    model: Text
    """Name of the model that the whole picture goes through."""
    scale: float | None = Field(default=None, ge=1.0, le=16.0)
    """Pixels of the result for one of the source along a side, at most what the network makes; null is that."""
    faces_from: Literal["original", "background"] = "original"
    """Where faces are found and restored: in the original, and then pasted over the result, or in the result."""
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the network's picture in the result; the rest is the original, plainly resampled."""
    keep_tone: bool = True
    """Whether a grey or sepia picture keeps its tone."""
    tile: int | None = Field(default=None, ge=16, le=16_384)
    """Side of the squares that the network takes, in pixels of the source; null is what suits it."""
    overlap: int | None = Field(default=None, ge=0, le=4096)
    """Pixels of a square's margin that are thrown away; null is what suits the network."""
    max_result_pixels: int = Field(default=400_000_000, ge=1, le=10_000_000_000)
    """Pixels of the result above which a picture stays as it is but for its faces."""
    engine: Engine = Field(default_factory=Engine)
    """What executes the network."""
