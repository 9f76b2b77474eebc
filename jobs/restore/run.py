"""A restore job from its file to its end."""

from __future__ import annotations

from jobs.console import Output, Words
from jobs.driving import Manner, drive_run, say_done, say_end
from jobs.ended import Ended
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.progress import watched
from jobs.nightly.due import Asked
from jobs.nightly.run import run_night
from jobs.report.write import write_report
from jobs.restore.start import is_of, start, worker_spec
from jobs.restore.start import retry as plan_retry
from jobs.spec import RestoreJob
from jobs.wishes import Wishes
from pipeline.night_lock import NightLock
from pipeline.run import Run
from pipeline.tally import Tally, tally_of
from pipeline.writer_lock import SoleWriters


def run(job: RestoreJob, out: Output, writers: SoleWriters, wishes: Wishes) -> Ended:
    """Plan the job's run or take it up again, and process what is left."""
    if job.selection is not None:
        if wishes.replan:
            raise CommandError(
                "--replan is for jobs without a selection; with one, every run lists the source", Exit.USAGE
            )
        return run_night(job, out, writers, MANNER, Asked(job.selection, wishes.where, wishes.since, wishes.again))
    if wishes.since or wishes.where:
        option = "--since" if wishes.since else "--where"
        raise CommandError(f"{option} says what is due in a night, and this job has no block `selection`", Exit.USAGE)
    replan = wishes.replan
    started = start(
        job,
        lambda count: out.log(f"{count} records listed"),
        replan=replan,
        watch=watched(out),
        claim=writers.output,
    )
    found = started.run
    plan = found.header.plan
    if started.resumed and found.complete and (tally := tally_of(found)).complete:
        return Ended(say_done(found, tally, DONE, out, replan=replan), found)
    verb = "resuming" if started.resumed else "planned"
    out.log(f"{verb} run {found.header.run_id}: {plan.records} records in {plan.units} units, {plan.bytes} bytes")
    for note in found.header.notes:
        out.log(note)
    found = writers.run(found)
    outcome = drive_run(job, found, worker_spec(job, started.weights, found), MANNER, out, writers)
    return Ended(say_end(found, outcome, MANNER, out), found, outcome)


def retry(job: RestoreJob, place: str, found: Run, codes: frozenset[str], out: Output, writers: SoleWriters) -> Ended:
    """Process what is in quarantine again."""
    changed, weights = is_of(found, job, fetch=True)
    if changed:
        raise CommandError(
            f"{place}: the output holds run {found.header.run_id}, which differs from this job "
            f"({'; '.join(changed[:8])}); retry works with the job as it was run",
            Exit.CONFLICT,
        )
    if found.closed:
        raise CommandError(
            f"{place}: run {found.header.run_id} was ended with units left, which the next night plans anew; "
            "`facejobs run` does them, with what is in quarantine",
            Exit.CONFLICT,
        )
    if not found.complete:
        raise CommandError("the run is not complete; `facejobs run` finishes it first", Exit.CONFLICT)
    found = writers.run(found)
    if found.header.night:
        writers.hold(NightLock(found.output))
    count = plan_retry(job, weights, found, codes)
    if not count:
        out.say("nothing to do: no such record is in quarantine, or it is one that the plan itself found wrong")
        return Ended(Exit.DONE, found)
    out.log(f"{count} records are tried again")
    outcome = drive_run(job, found, worker_spec(job, weights, found), MANNER, out, writers)
    return Ended(say_end(found, outcome, MANNER, out), found, outcome)


def _counts(tally: Tally) -> str:
    return (
        f"{tally.records_planned} records: {tally.ok} restored or copied, {tally.quarantined} in quarantine, "
        f"{tally.records_planned - tally.done} to do"
    )


def _counts_with_faces(tally: Tally) -> str:
    return f"{_counts(tally)}, {tally.counts.get('faces_found', 0)} faces found"


WORDS = Words("restoring", "records", "faces_found", "faces")
MANNER = Manner(write_report, _counts_with_faces, WORDS)
DONE = Manner(write_report, _counts, WORDS)
