"""`facejobs plan`: what a run would do, without writing anything."""

from __future__ import annotations

from jobs.console import Output
from jobs.exits import Exit
from jobs.kinds import KINDS
from jobs.spec import Scrubber, load, secrets_of


def plan_job(path: str, sample: int, as_json: bool, out: Output) -> Exit:
    """List the source, try a few records in memory, and say what a run would come to."""
    job = load(path)
    out.use(Scrubber(secrets_of(job)))
    return KINDS[job.job].plan(job, sample, as_json, out)
