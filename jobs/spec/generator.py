"""Settings of the restorers with weights (GFPGAN, GPEN) as a job file writes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block, Text

Task = Literal["restore", "colorize", "inpaint", "seg2face"]
TASKS: tuple[Task, ...] = ("restore", "colorize", "inpaint", "seg2face")


class GeneratorSettings(Block):
    """How a generator is used; some keys are for some models only."""

    task: Task | None = None
    """What is done with a face; null is what the model was trained for."""
    fidelity: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the face as it came in the result, 0 to 1, mixed in before the result is judged."""
    sft_strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """GFPGAN: how strongly the face as it came guides the generator, 0 to 1."""
    clean_first: float | None = Field(default=None, ge=0.0, le=1.0)
    """Task restore: share of what `classic` would take away (grain, JPEG artefacts, white defects) that is taken away
    before the network sees the face, 0 to 1; null is 0.5 for compact and 0 for other models."""
    keep_tone: bool = True
    """Whether a grey or sepia picture keeps its tone; with the task colorize, whether it keeps its light."""
    masks: Text | None = None
    """Task inpaint: folder of mask images, white where the face is made anew; null looks for white strokes."""
