"""`facejobs run` and `facejobs retry`: drive a job to its end, and tell of it."""

from __future__ import annotations

from jobs.commands.look import trained
from jobs.commands.moments import moment
from jobs.console import Output
from jobs.ended import Ended
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.kinds import KINDS
from jobs.locate import is_job_file, locate
from jobs.nightly.condition import problem_of
from jobs.observe.watch import watched
from jobs.spec import Scrubber, Spec, load, secrets_of
from jobs.telling import Given, telling
from jobs.train.status import NO_QUARANTINE
from jobs.wishes import Wishes
from pipeline.writer_lock import SoleWriters


def run_job(path: str, out: Output, wishes: Wishes) -> Exit:
    """Plan the job's run or take it up again, and process what is left."""
    job = _job(path, out)

    def work() -> Ended:
        with SoleWriters(out.log) as writers:
            return KINDS[job.job].run(job, out, writers, wishes)

    with watched(job, out) as ended:
        return telling(job, Given(("run", *wishes.words()), path), lambda: ended(work()), out)


def retry_run(place: str, codes: tuple[str, ...], out: Output) -> Exit:
    """Process what is in quarantine again."""
    if trained(place, out) is not None:
        raise CommandError(f"{place}: {NO_QUARANTINE}", Exit.USAGE)
    if not is_job_file(place):
        locate(place)
        raise CommandError(f"{place}: retry needs the job file, which says how to reach the source", Exit.USAGE)
    job = _job(place, out)

    def work() -> Ended:
        found = locate(place).run
        with SoleWriters(out.log) as writers:
            return KINDS[job.job].retry(job, place, found, frozenset(codes), out, writers)

    options = [word for code in codes for word in ("--code", code)]
    with watched(job, out) as ended:
        return telling(job, Given(("retry", *options), place), lambda: ended(work()), out)


def wishes_of(*, replan: bool, since: str | None, where: str | None, again: bool) -> Wishes:
    """The options of `facejobs run`.

    Raises:
        CommandError: one of them cannot be understood.
    """
    if where and (wrong := problem_of(where)):
        raise CommandError(f"--where: {wrong}", Exit.USAGE)
    if again and not where:
        raise CommandError(
            "--again needs --where, which says what to do again: --where true is everything, --where \"key = 'a.tif'\" "
            "one record",
            Exit.USAGE,
        )
    return Wishes(replan, moment(since, "--since") if since else "", where or "", again)


def _job(path: str, out: Output) -> Spec:
    job = load(path)
    out.use(Scrubber(secrets_of(job)))
    return job
