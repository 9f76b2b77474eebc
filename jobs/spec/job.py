"""A whole job file as one model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.background import Background
from jobs.spec.cluster import Cluster
from jobs.spec.common import Block
from jobs.spec.detect import Detect
from jobs.spec.models import Models
from jobs.spec.names import NAME_PATTERN, check_name
from jobs.spec.notify import Notify
from jobs.spec.observe import Observe
from jobs.spec.output import Output
from jobs.spec.pairs import PairsJob
from jobs.spec.restore import Restore, default_restore
from jobs.spec.run import Run
from jobs.spec.score import Score
from jobs.spec.selection import Selection
from jobs.spec.source import Source
from jobs.spec.train import TrainJob


class RestoreJob(Block):
    """Restores the faces of an archive of photographs."""

    job: Literal["restore"]
    """Kind of job."""
    name: Annotated[str, AfterValidator(check_name), Field(json_schema_extra={"pattern": NAME_PATTERN})]
    """Name of the job, for logs and the report."""
    source: Source
    """Where the images come from."""
    detect: Detect = Field(default_factory=Detect)
    """Which faces are wanted."""
    restore: Restore = Field(default_factory=default_restore)
    """What improves the faces."""
    background: Background | None = None
    """With it, the whole picture goes through a network as well."""
    models: Models = Field(default_factory=Models)
    """Where weights and compiled engines are kept."""
    score: Score = Field(default_factory=Score)
    """What is measured, and which restored faces are accepted."""
    output: Output
    """Where the results go and what they are."""
    selection: Selection | None = None
    """With it, every run does what is due in a collection: what is new, changed, or better done by now."""
    run: Run = Field(default_factory=Run)
    """Where and how the work is done."""
    observe: Observe = Field(default_factory=Observe)
    """How the run is watched."""
    notify: Notify = Field(default_factory=Notify)
    """Who is told how it ended."""
    cluster: Cluster = Field(default_factory=Cluster)
    """What the machines are and cost, for estimates."""


Sourced = RestoreJob | PairsJob
"""A job that goes through a source, image by image."""
Spec = RestoreJob | PairsJob | TrainJob
"""Any job."""
JOBS: dict[str, type[RestoreJob] | type[PairsJob] | type[TrainJob]] = {
    "restore": RestoreJob,
    "pairs": PairsJob,
    "train": TrainJob,
}
"""Kinds of job, by the value of the key `job`; what else is known of each stands in `kinds.py`."""
