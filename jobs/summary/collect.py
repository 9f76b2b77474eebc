"""Fills a summary from how a command ended, or from the error that it ended with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from jobs.ended import Ended, TrainingEnd
from jobs.ending import exit_of
from jobs.exits import Exit
from jobs.report.advice import advise
from jobs.report.scrub import scrubbed
from jobs.spec import Scrubber, Spec
from jobs.summary.bounded import TooLongError, within
from jobs.summary.data import Command, Reason, Summary
from jobs.summary.facts import counted, facts_of, places
from jobs.summary.headline import night_worked
from jobs.summary.patience import Patience
from jobs.summary.steps import next_steps
from pipeline.run import Run
from pipeline.tally import Tally

SILENT = ("storage",)
"""States in which nothing more is asked of storage."""
HASTY = ("interrupted", "storage")
"""States after which the ledger is not read: somebody waits, or storage does not answer."""


def of_error(job: Spec, command: Command, error: BaseException, scrubber: Scrubber) -> Summary:
    """What is said of a command that an exception ended."""
    code, message = exit_of(error)
    steps = next_steps(command.file, "error", code, [], collection=_collection(job))
    return scrubbed(Summary(job.name, job.job, command, code, "error", message, steps=steps), scrubber.scrub)


def of_end(job: Spec, command: Command, ended: Ended, patience: Patience, scrubber: Scrubber) -> Summary:
    """What is said of a command that came to its end; asks the ledger for what is not known, within the patience."""
    if ended.training is not None:
        return _of_training(job, command, ended.exit, ended.training, scrubber)
    outcome, run = ended.outcome, ended.run
    state = outcome.state if outcome is not None else "complete" if run is not None else "nothing_to_do"
    worked = outcome is not None and (outcome.worked > 0 or outcome.state not in ("complete", "time_up"))
    worked = worked or (ended.night is not None and night_worked(ended.night))
    made = Summary(
        job=job.name,
        kind=job.job,
        command=command,
        exit=ended.exit,
        state=state,
        message=outcome.message if outcome is not None else "",
        worked=worked,
        night=dict(ended.night) if ended.night is not None else None,
    )
    if run is not None:
        made = _with_run(made, ended, run, patience)
    codes = [reason.code for reason in made.reasons]
    steps = next_steps(command.file, state, ended.exit, codes, collection=_collection(job))
    return scrubbed(replace(made, steps=steps), scrubber.scrub)


def _of_training(job: Spec, command: Command, code: Exit, end: TrainingEnd, scrubber: Scrubber) -> Summary:
    state = "incomplete" if end.state == "failed" else end.state
    done = f"{end.done} of {end.steps} steps are done" if end.done >= 0 else ""
    message = end.message or (done if end.worked and state != "complete" else "")
    steps = next_steps(command.file, state, code, [], collection=False)
    worked = end.worked or state != "complete"
    made = Summary(job.name, job.job, command, code, state, message, worked, steps=steps)
    return scrubbed(made, scrubber.scrub)


def _with_run(made: Summary, ended: Ended, run: Run, patience: Patience) -> Summary:
    outcome = ended.outcome
    tally: Tally | None = None
    wall: float | None = None
    if made.state not in HASTY:
        try:
            tally, wall = within(patience.ledger, lambda: counted(run, outcome))
        except TooLongError:
            tally = None
    whole = tally is not None
    if tally is None:
        if outcome is None:
            return made
        tally = outcome.tally
    facts = facts_of(run, outcome, tally, wall, whole=whole)
    if made.state not in SILENT:
        try:
            report, quarantine = within(patience.writing, lambda: tuple(places(run)))
            facts = replace(facts, report=report, quarantine=quarantine)
        except TooLongError:
            pass
    return replace(made, run=facts, reasons=tuple(_reasons(tally.codes)))


def _reasons(codes: Counter[str]) -> Iterable[Reason]:
    return (Reason(code, count, advise(code)) for code, count in codes.most_common() if count > 0)


def _collection(job: Spec) -> bool:
    """Whether the job has a block `selection`, so that each run of it is a night."""
    return getattr(job, "selection", None) is not None


def noteworthy(summary: Summary, when: str) -> bool:
    """Whether somebody wants to be told.

    Args:
        summary: how it ended.
        when: `notify.when`.
    """
    problem = summary.exit != Exit.DONE
    return problem or when == "always" or (when == "work" and summary.worked)
