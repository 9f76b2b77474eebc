"""The block `filter` of a pairs job: which samples are good enough to be targets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block


class Filter(Block):
    """Which samples are left out."""

    min_sharpness: float | None = Field(default=None, ge=0.0, le=1.0)
    """Least sharpness of a sample, about 0.02 (soft) to 0.3 (crisp); null asks for none."""
    min_confidence: float | None = Field(default=None, ge=0.0, le=1.0)
    """Least confidence of the sample's face, 0 to 1, not below that of the search; null asks for none."""
    min_side: int = Field(default=32, ge=16, le=100_000)
    """Least shorter side of a source image, in pixels."""
    duplicates: Literal["keep", "exact", "near"] = "near"
    """Which copies of an image are left out: none, those of the same bytes, or also those that look the same."""
    distance: int = Field(default=4, ge=0, le=16)
    """Most bits, of 64, in which perceptual hashes of near duplicates differ."""
