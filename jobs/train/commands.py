"""What the commands ask of a train job; torch and all that comes with it is loaded where something is trained."""

from __future__ import annotations

from jobs.console import Output
from jobs.ended import Ended
from jobs.errors import CommandError
from jobs.estimate.plan import Asked
from jobs.exits import Exit
from jobs.spec import Scrubber
from jobs.spec.train import TrainJob
from jobs.train.status import NO_QUARANTINE
from jobs.wishes import Wishes
from pipeline.errors import NoSuchRunError
from pipeline.run import Run
from pipeline.writer_lock import SoleWriters


def run(job: TrainJob, out: Output, writers: SoleWriters, wishes: Wishes) -> Ended:
    """See `jobs.train.run.run`.

    Raises:
        CommandError: an option was given that only other jobs have.
    """
    if words := wishes.words():
        raise CommandError(
            f"{' '.join(words)}: a training has no listing and no selection that this could change; run it without, "
            "and it goes on from its newest checkpoint",
            Exit.USAGE,
        )
    from jobs.train.run import run as train  # noqa: PLC0415

    return train(job, out, writers)


def plan(job: TrainJob, asked: Asked, out: Output) -> Exit:
    """See `jobs.train.plan.plan_job`."""
    from jobs.train.plan import plan_job  # noqa: PLC0415

    return plan_job(job, asked, out)


def retry(_job: TrainJob, place: str, _run: Run, _codes: frozenset[str], _out: Output, _writers: SoleWriters) -> Ended:
    """Never.

    Raises:
        CommandError: always.
    """
    raise CommandError(f"{place}: {NO_QUARANTINE}", Exit.USAGE)


def report(run: Run, _scrubber: Scrubber) -> None:
    """Never: a training is no run of units; see `jobs.train.report`.

    Raises:
        NoSuchRunError: always.
    """
    raise NoSuchRunError(f"{run.folder.uri}: a training is no run of units")
