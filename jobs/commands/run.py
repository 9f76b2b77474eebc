"""`facejobs run` and `facejobs retry`: drive a job to its end."""

from __future__ import annotations

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.locate import locate
from jobs.models.progress import watched
from jobs.report.write import write_report
from jobs.restore.start import is_of, start, worker_spec
from jobs.restore.start import retry as plan_retry
from jobs.restore.weights import Weights
from jobs.spec import Scrubber, Spec, load, secrets_of
from pipeline import layout
from pipeline.driver import Outcome, drive
from pipeline.finish import write_quarantine
from pipeline.run import Run, open_run
from pipeline.runners.contract import Pools, Runner
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.tally import Tally, tally_of
from pipeline.watched.limits import Limits
from pipeline.writer_lock import SoleWriters

ENDS = {
    "complete": Exit.DONE,
    "over_budget": Exit.OVER_BUDGET,
    "storage": Exit.STORAGE,
    "interrupted": Exit.INTERRUPTED,
    "incomplete": Exit.FAILED,
}


def run_job(path: str, out: Output, *, replan: bool = False) -> Exit:
    """Plan the job's run or take it up again, and process what is left."""
    with SoleWriters(out.log) as writers:
        return _run_job(path, out, writers, replan=replan)


def _run_job(path: str, out: Output, writers: SoleWriters, *, replan: bool) -> Exit:
    job = load(path)
    out.use(Scrubber(secrets_of(job)))
    started = start(
        job,
        lambda count: out.log(f"{count} records listed"),
        replan=replan,
        watch=watched(out),
        claim=writers.output,
    )
    run = started.run
    plan = run.header.plan
    if started.resumed and run.complete and (tally := tally_of(run)).complete:
        out.say(f"nothing to do: run {run.header.run_id} is complete ({_counts(tally)})")
        if not replan:
            out.log(f"the source was listed at {run.header.created}; --replan looks for what is new or changed since")
        _say_places(run, out)
        return Exit.QUARANTINED if tally.quarantined else Exit.DONE
    verb = "resuming" if started.resumed else "planned"
    out.log(f"{verb} run {run.header.run_id}: {plan.records} records in {plan.units} units, {plan.bytes} bytes")
    for note in run.header.notes:
        out.log(note)
    return _drive(job, started.weights, writers.run(run), out, writers)


def retry_run(place: str, codes: tuple[str, ...], out: Output) -> Exit:
    """Process what is in quarantine again."""
    located = locate(place)
    out.use(located.scrubber)
    if located.job is None:
        raise CommandError(f"{place}: retry needs the job file, which says how to reach the source", Exit.USAGE)
    run = located.run
    changed, weights = is_of(run, located.job, fetch=True)
    if changed:
        raise CommandError(
            f"{place}: the output holds run {run.header.run_id}, which differs from this job "
            f"({'; '.join(changed[:8])}); retry works with the job as it was run",
            Exit.CONFLICT,
        )
    if not run.complete:
        raise CommandError("the run is not complete; `facejobs run` finishes it first", Exit.CONFLICT)
    with SoleWriters(out.log) as writers:
        run = writers.run(run)
        count = plan_retry(located.job, weights, run, frozenset(codes))
        if not count:
            out.say("nothing to do: no such record is in quarantine, or it is one that the plan itself found wrong")
            return Exit.DONE
        out.log(f"{count} records are tried again")
        return _drive(located.job, weights, run, out, writers)


def _runner(job: Spec) -> Runner:
    limits = None
    if job.run.isolate:
        limits = Limits(job.run.record_seconds, job.run.unit_seconds, job.run.worker_memory or 0)
    if job.run.runner == "local":
        return LocalRunner(limits)
    return RayRunner(Pools(job.run.workers, job.run.address, limits, job.run.stall_seconds))


def _drive(job: Spec, weights: Weights, run: Run, out: Output, writers: SoleWriters) -> Exit:
    with out.progress(run.header.plan.records) as show:
        outcome = drive(
            run,
            _runner(job),
            worker_spec(job, weights, run),
            job.run.placement,
            job.run.allowance(run.header.plan.records),
            writers.checking(show),
            _replaced(job, run),
            job.run.grace_seconds,
        )
    # Whoever stopped it waits; and storage that does not answer takes no report.
    reported = outcome.state not in ("interrupted", "storage")
    if reported:
        if outcome.state != "complete":
            write_quarantine(run)
        write_report(run, out.scrubber)
    return _end(run, outcome, out, reported=reported)


def _replaced(job: Spec, run: Run) -> Run | None:
    """The run whose outputs are to go, if the job says that its own replace them."""
    if job.output.existing != "replace" or not run.header.replaces:
        return None
    return open_run(run.output, run.header.replaces)


def _end(run: Run, outcome: Outcome, out: Output, *, reported: bool) -> Exit:
    tally = outcome.tally
    out.say(f"{_counts(tally)}, {tally.counts.get('faces_found', 0)} faces found")
    for code, count in tally.codes.most_common():
        out.say(f"  {count} in quarantine: {code}")
    if reported:
        _say_places(run, out)
    if outcome.state != "complete":
        out.log(f"not complete: {outcome.message}; run the same command again to continue")
        return ENDS[outcome.state]
    return Exit.QUARANTINED if tally.quarantined else Exit.DONE


def _counts(tally: Tally) -> str:
    return (
        f"{tally.records_planned} records: {tally.ok} restored or copied, {tally.quarantined} in quarantine, "
        f"{tally.records_planned - tally.done} to do"
    )


def _say_places(run: Run, out: Output) -> None:
    out.say(f"report: {run.folder.uri}/{layout.REPORT}")
    out.say(f"quarantine: {run.folder.uri}/{layout.QUARANTINE}")
