"""Which run a night follows."""

from __future__ import annotations

from jobs.beginning import Wanted, refuse_others
from jobs.spec import RestoreJob
from pipeline.errors import RunConflictError
from pipeline.history import standing_in
from pipeline.run import Run, current_run
from pipeline.storage import Folder


def former_of(job: RestoreJob, output: Folder) -> Run | None:
    """The collection's last run; None for an output in which nothing is yet.

    A run of another folder of the output (`versions/2`) may be the current one, or the note of which is the current one
    may be gone: then the run is looked for.

    Raises:
        RunConflictError: there is something else.
    """
    current = current_run(output)
    if current is None or current.header.prefix:
        current = standing_in(output, "")
    if current is None:
        nothing = Wanted(job.name, job.job, {}, "refuse", tuple, lambda record: record.key)
        refuse_others(output, None, nothing)
        return None
    header = current.header
    if header.kind == job.job and header.job["output"]["layout"] == "mirror":
        return current
    what = f"a {header.kind} job"
    if header.kind == job.job:
        what = f"a job with output.layout: {header.job['output']['layout']}"
    raise RunConflictError(
        f"{output.uri}: holds run {header.run_id} of {header.created}, of {what}; a job with a selection goes on from "
        "its own nights, or from a restore run that wrote a tree (mirror). Name another output.uri"
    )
