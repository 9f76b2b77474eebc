"""`facejobs run` and `facejobs retry`: drive a job to its end."""

from __future__ import annotations

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.kinds import KINDS
from jobs.locate import locate
from jobs.spec import Scrubber, load, secrets_of
from pipeline.writer_lock import SoleWriters


def run_job(path: str, out: Output, *, replan: bool = False) -> Exit:
    """Plan the job's run or take it up again, and process what is left."""
    with SoleWriters(out.log) as writers:
        job = load(path)
        out.use(Scrubber(secrets_of(job)))
        return KINDS[job.job].run(job, out, writers, replan).exit


def retry_run(place: str, codes: tuple[str, ...], out: Output) -> Exit:
    """Process what is in quarantine again."""
    located = locate(place)
    out.use(located.scrubber)
    job = located.job
    if job is None:
        raise CommandError(f"{place}: retry needs the job file, which says how to reach the source", Exit.USAGE)
    with SoleWriters(out.log) as writers:
        return KINDS[job.job].retry(job, place, located.run, frozenset(codes), out, writers).exit
