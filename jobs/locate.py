"""A RUN on the command line: a job file, or the URI of an output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.kinds import KINDS
from jobs.spec import Scrubber, Spec, load, secrets_of
from pipeline.errors import NoSuchRunError
from pipeline.run import Run, current_run
from pipeline.storage import Folder


@dataclass(frozen=True)
class Located:
    """A run, and how it was named.

    Attributes:
        run: the job's own run where it was named by a job file, else the output's current one.
        job: the job file, when the run was named by one.
        scrubber: takes the job's secrets out of texts.
    """

    run: Run
    job: Spec | None
    scrubber: Scrubber


def locate(place: str) -> Located:
    """Find a run.

    Args:
        place: path of a job file, or the URI of an output.

    Raises:
        JobFileError: the job file is wrong.
        NoSuchRunError: the output holds no run.
        StorageError: storage unreachable or refusing.
    """
    if is_job_file(place):
        job = load(place)
        scrubber = Scrubber(secrets_of(job))
        return Located(_there(KINDS[job.job].find(job), job.output.uri), job, scrubber)
    return Located(_there(current_run(Folder(place)), place), None, Scrubber(()))


def is_job_file(place: str) -> bool:
    """Whether a place on the command line means a job file: by its ending, or because it is a local file."""
    return place.lower().endswith((".yaml", ".yml")) or Path(place).is_file()


def _there(run: Run | None, uri: str) -> Run:
    if run is None:
        raise NoSuchRunError(f"{uri}: no run there; name a job file that has been run, or the output folder of one")
    return run
