"""A whole job file as one model."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block
from jobs.spec.detect import Detect
from jobs.spec.models import Models
from jobs.spec.output import Output
from jobs.spec.restore import ClassicRestore, Restore
from jobs.spec.run import Run
from jobs.spec.score import Score
from jobs.spec.source import Source

NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def check_name(name: str) -> str:
    """A name that may stand in paths, logs and URLs.

    Raises:
        ValueError: says what is expected.
    """
    if not NAME.fullmatch(name) or not name.strip("."):
        raise ValueError("expected up to 100 of the characters A-Z a-z 0-9 . _ -")
    return name


class RestoreJob(Block):
    """Restores the faces of an archive of photographs."""

    job: Literal["restore"]
    """Kind of job."""
    name: Annotated[
        str, AfterValidator(check_name), Field(json_schema_extra={"pattern": "^(?!\\.+$)[A-Za-z0-9._-]{1,100}$"})
    ]
    """Name of the job, for logs and the report."""
    source: Source
    """Where the images come from."""
    detect: Detect = Field(default_factory=Detect)
    """Which faces are wanted."""
    restore: Restore = Field(default_factory=ClassicRestore)
    """What improves the faces."""
    models: Models = Field(default_factory=Models)
    """Where weights and compiled engines are kept."""
    score: Score = Field(default_factory=Score)
    """What is measured, and which restored faces are accepted."""
    output: Output
    """Where the results go and what they are."""
    run: Run = Field(default_factory=Run)
    """Where and how the work is done."""


Spec = RestoreJob
"""Any job; a union once there are more kinds."""
JOBS: dict[str, type[RestoreJob]] = {"restore": RestoreJob}
