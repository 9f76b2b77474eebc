"""A planned run to its end: runner, progress, report, exit code; the same for every kind of job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs.console import Output as Console
from jobs.console import Words
from jobs.exits import Exit
from jobs.observe.lines import Level
from jobs.observe.watch import observing
from jobs.spec import Scrubber, Sourced
from pipeline import layout
from pipeline.driver import Outcome, drive
from pipeline.finish import write_quarantine
from pipeline.parcel import Receipt
from pipeline.records import Output
from pipeline.run import Run, open_run
from pipeline.runners.contract import Pools, Runner
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.tally import Tally
from pipeline.watched.limits import Limits
from pipeline.worker import WorkerSpec
from pipeline.writer_lock import SoleWriters

ENDS = {
    "complete": Exit.DONE,
    "time_up": Exit.DONE,
    "over_budget": Exit.OVER_BUDGET,
    "storage": Exit.STORAGE,
    "interrupted": Exit.INTERRUPTED,
    "incomplete": Exit.FAILED,
}


@dataclass(frozen=True)
class Manner:
    """How a kind of job is driven and spoken of.

    Attributes:
        report: writes the report of a run; None for one that has none.
        counts: a run's counts in one line.
        words: what the progress display calls things.
        closing: writes what the outputs need as a whole, before the manifest; see `pipeline.finish`.
    """

    report: Callable[[Run, Scrubber], None] | None
    counts: Callable[[Tally], str]
    words: Words
    closing: Callable[[Run], Sequence[Output]] | None = None


def drive_run(
    job: Sourced,
    run: Run,
    spec: WorkerSpec,
    manner: Manner,
    out: Console,
    writers: SoleWriters,
    seconds: float | None = None,
) -> Outcome:
    """Process what is left of a run, and write its report.

    Returns:
        How it ended.
    """
    runner = _runner(job)
    with (
        observing(job, run, runner, out) as observe,
        out.progress(run.header.plan.records, manner.words) as show,
    ):

        def told(tally: Tally, receipt: Receipt | None) -> None:
            show(tally, receipt)
            observe.unit(tally, receipt)

        outcome = drive(
            run,
            runner,
            spec,
            job.run.placement,
            job.run.allowance(run.header.plan.records),
            writers.checking(told),
            _replaced(job, run),
            job.run.grace_seconds,
            manner.closing,
            seconds,
        )
        observe.end(outcome)
    # Whoever stopped it waits; and storage that does not answer takes no report.
    if outcome.state not in ("interrupted", "storage"):
        if outcome.state != "complete":
            write_quarantine(run)
        if manner.report is not None:
            manner.report(run, out.scrubber)
    return outcome


def say_end(run: Run, outcome: Outcome, manner: Manner, out: Console) -> Exit:
    """Say how a run ended, where to look, and with which exit code."""
    out.say(manner.counts(outcome.tally))
    for code, count in outcome.tally.codes.most_common():
        out.say(f"  {count} in quarantine: {code}")
    if outcome.state not in ("interrupted", "storage"):
        say_places(run, out)
    if outcome.state != "complete":
        level: Level = "info" if outcome.state == "time_up" else "error"
        out.log(f"not complete: {outcome.message}; run the same command again to continue", level)
        return ENDS[outcome.state]
    return Exit.QUARANTINED if outcome.tally.quarantined else Exit.DONE


def say_done(run: Run, tally: Tally, manner: Manner, out: Console, *, replan: bool) -> Exit:
    """Say that a run has nothing left to do."""
    out.say(f"nothing to do: run {run.header.run_id} is complete ({manner.counts(tally)})")
    if not replan:
        out.log(f"the source was listed at {run.header.created}; --replan looks for what is new or changed since")
    say_places(run, out)
    return Exit.QUARANTINED if tally.quarantined else Exit.DONE


def say_places(run: Run, out: Console) -> None:
    """Where the report and the list of what is in quarantine lie."""
    out.say(f"report: {run.folder.uri}/{layout.REPORT}")
    out.say(f"quarantine: {run.folder.uri}/{layout.QUARANTINE}")


def _runner(job: Sourced) -> Runner:
    limits = None
    if job.run.isolate:
        limits = Limits(job.run.record_seconds, job.run.unit_seconds, job.run.worker_memory or 0)
    if job.run.runner == "local":
        return LocalRunner(limits)
    return RayRunner(Pools(job.run.workers, job.run.address, limits, job.run.stall_seconds))


def _replaced(job: Sourced, run: Run) -> Run | None:
    """The run whose outputs are to go, if the job says that its own replace them."""
    if job.output.existing != "replace" or not run.header.replaces:
        return None
    return open_run(run.output, run.header.replaces)
