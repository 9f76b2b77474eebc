"""A whole file of a pairs job as one model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.cluster import Cluster
from jobs.spec.common import Block
from jobs.spec.degrade import Degrade
from jobs.spec.filter import Filter
from jobs.spec.names import NAME_PATTERN, check_name
from jobs.spec.notify import Notify
from jobs.spec.observe import Observe
from jobs.spec.pairs_output import PairsOutput
from jobs.spec.run import Run
from jobs.spec.samples import FaceSamples, Samples
from jobs.spec.source import Source
from jobs.spec.split import Split


class PairsJob(Block):
    """Makes pairs of degraded and good pictures from a collection of good ones."""

    job: Literal["pairs"]
    """Kind of job."""
    name: Annotated[str, AfterValidator(check_name), Field(json_schema_extra={"pattern": NAME_PATTERN})]
    """Name of the job, for logs, the report and the dataset card."""
    source: Source
    """Where the images come from."""
    samples: Samples = Field(default_factory=FaceSamples)
    """What is cut out of each image."""
    filter: Filter = Field(default_factory=Filter)
    """Which samples are good enough to be targets."""
    degrade: Degrade
    """How good pictures are made bad, and how often."""
    split: Split = Field(default_factory=Split)
    """What is trained on and what is held back."""
    output: PairsOutput
    """Where the pairs go, and in which format."""
    run: Run = Field(default_factory=Run)
    """Where and how the work is done."""
    observe: Observe = Field(default_factory=Observe)
    """How the run is watched."""
    notify: Notify = Field(default_factory=Notify)
    """Who is told how it ended."""
    cluster: Cluster = Field(default_factory=Cluster)
    """What the machines are and cost, for estimates."""
