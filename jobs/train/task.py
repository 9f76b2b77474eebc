"""What every worker of a training is given: picklable, the same for all of them, wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jobs.spec.train import TrainJob
from jobs.train.data import Gathered
from jobs.train.header import Header
from jobs.train.starts import Start
from operators.training.contract import Hardware
from operators.training.loop import Settings
from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.table import SCHEDULES
from pipeline.storage import Folder


@dataclass(frozen=True)
class Task:
    """A training as workers do it. It holds what opens the output's storage: it is never written down.

    Attributes:
        job: the job.
        header: what the training is.
        output: where it is kept.
        gathered: what it is fed with.
        starts: where the weights that networks begin as come from, by network.
        weights: those weights, CPU tensors by name, by network.
    """

    job: TrainJob
    header: Header
    output: Folder = field(repr=False)
    gathered: Gathered = field(repr=False)
    starts: Mapping[str, Start] = field(default_factory=dict)
    weights: Mapping[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def entry(self) -> Entry:
        """Of the table of schedules."""
        return SCHEDULES[self.job.model.kind]

    def given(self, hardware: Hardware) -> Given:
        """What the schedule is built from."""
        entry, job = self.entry, self.job
        return Given(
            network=filled(entry.network, job.model),
            objective=filled(entry.objective, job.objective),
            schedule=filled(entry.schedule, job.schedule),
            hardware=hardware,
            seed=job.run.seed,
            starts=dict(self.weights),
            pictures=dict(self.gathered.pictures),
            attributes=self.gathered.attributes,
        )

    def settings(self, hardware: Hardware) -> Settings:
        """Of the loop."""
        job = self.job
        return Settings(
            steps=job.schedule.steps,
            batch=job.schedule.batch,
            seed=job.run.seed,
            log_every=job.output.log_every,
            checkpoint_every=job.output.checkpoint_every,
            samples_every=job.output.samples_every,
            data_workers=job.run.data_workers,
            hardware=hardware,
        )


def filled(settings: type[Any], block: Any) -> Any:
    """Settings of a schedule from the block of the job file that mirrors them."""
    return settings(**{one.name: getattr(block, one.name) for one in fields(settings)})
