"""The block `detect`: which faces are wanted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block


class Detect(Block):
    """How faces are looked for."""

    min_confidence: float = Field(default=0.7, ge=0.0, le=1.0)
    """Least confidence of the detector, 0 to 1."""
    min_eye_distance: float = Field(default=16.0, gt=0.0, le=10_000.0)
    """Least distance between the eyes, in pixels of the source; smaller faces are left alone."""
    max_faces: int = Field(default=1000, ge=1)
    """Most faces of an image, the largest first."""
    quarter_turns: Literal["never", "when_unclear"] = "when_unclear"
    """Whether an image that shows no clear upright face is also looked at turned by 90, 180 and 270 degrees."""
    turned_confidence: float = Field(default=0.85, ge=0.0, le=1.0)
    """Least confidence of a face that is found in another turn, 0 to 1."""
    aligned: bool = False
    """Whether every image is one aligned face already, so that none is looked for."""
