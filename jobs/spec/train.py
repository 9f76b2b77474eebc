"""A whole file of a train job as one model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block
from jobs.spec.models import Models
from jobs.spec.names import NAME_PATTERN, check_name
from jobs.spec.notify import Notify
from jobs.spec.observe import Observe
from jobs.spec.training.data import Data
from jobs.spec.training.gpen import GpenObjective, GpenSchedule
from jobs.spec.training.kinds import Model, Objective, Schedule
from jobs.spec.training.output import TrainOutput
from jobs.spec.training.run import TrainRun


class TrainJob(Block):
    """Trains a network from pairs, or from good pictures that are degraded meanwhile."""

    job: Literal["train"]
    """Kind of job."""
    name: Annotated[str, AfterValidator(check_name), Field(json_schema_extra={"pattern": NAME_PATTERN})]
    """Name of the job, for logs, the report and the model."""
    data: Data
    """What is trained on."""
    model: Model
    """What is trained."""
    objective: Objective = Field(default_factory=GpenObjective)
    """What it is trained for; its keys and their defaults are those of the kind of model."""
    schedule: Schedule = Field(default_factory=GpenSchedule)
    """How long, in what steps; likewise."""
    models: Models = Field(default_factory=Models)
    """Where models are that networks begin as."""
    output: TrainOutput
    """Where the training is kept, and what comes of it."""
    run: TrainRun = Field(default_factory=TrainRun)
    """Where and how the work is done."""
    observe: Observe = Field(default_factory=Observe)
    """How the training is watched."""
    notify: Notify = Field(default_factory=Notify)
    """Who is told how it ended."""
