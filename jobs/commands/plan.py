"""`facejobs plan`: what a run would do, told from a sample."""

from __future__ import annotations

from jobs.console import Output
from jobs.estimate.plan import Asked
from jobs.exits import Exit
from jobs.kinds import KINDS
from jobs.spec import Scrubber, load, secrets_of


def plan_job(path: str, asked: Asked, out: Output) -> Exit:
    """List the source, try a few records in memory, and say what a run would come to; keep that where it is asked."""
    job = load(path)
    out.use(Scrubber(secrets_of(job)))
    return KINDS[job.job].plan(job, asked, out)
