"""What is to be done after a command has ended, as command lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from jobs.exits import Exit
from jobs.report.advice import ADVICE
from jobs.summary.data import Step

AGAIN = {
    "over_budget": "Once `run.max_quarantined` is raised, this goes on",
    "storage": "Once storage answers, this goes on where it was",
    "interrupted": "This goes on where it was",
    "incomplete": "This goes on where it was, and tries again what no worker could finish",
    "time_up": "The next night goes on where this one ended; this does so now",
}
BY_EXIT = {
    Exit.STORAGE: "Once storage answers",
    Exit.INTERRUPTED: "This goes on where it was",
    Exit.FAILED: "This goes on where it was",
}


def next_steps(file: str, state: str, exit_: Exit, codes: list[str], *, collection: bool) -> tuple[Step, ...]:
    """What a person may do next.

    Args:
        file: the job file, as it was named.
        state: as in `Summary.state`.
        exit_: the exit code.
        codes: reasons for quarantine.
        collection: whether the job is run night by night, so that what has changed is found by the next one.
    """
    job = shlex.quote(file)
    return tuple(_steps(job, state, exit_, codes, collection=collection))


def _steps(job: str, state: str, exit_: Exit, codes: list[str], *, collection: bool) -> Iterator[Step]:
    if state in AGAIN:
        yield Step(AGAIN[state], f"facejobs run {job}")
    elif state == "error":
        yield from _after_error(job, exit_)
    elif codes:
        yield from _mended(job, codes, collection=collection)


def _after_error(job: str, exit_: Exit) -> Iterator[Step]:
    if exit_ == Exit.BAD_JOB:
        yield Step("Once it is corrected, this says whether the job file can be used", f"facejobs validate {job}")
    elif exit_ == Exit.CONFLICT:
        yield Step("Name another `output.uri`, say `output.existing`, or wait until the other command has ended")
        yield Step("What the output holds", f"facejobs status {job}")
    elif exit_ in BY_EXIT:
        yield Step(BY_EXIT[exit_], f"facejobs run {job}")


def _mended(job: str, codes: list[str], *, collection: bool) -> Iterator[Step]:
    if collection:
        yield Step("Mend or exclude what the reasons name: the next night takes up what has changed")
        return
    planned = [code for code in codes if "--replan" in ADVICE.get(code, "")]
    if len(planned) < len(codes):
        yield Step("Once the files are mended, this processes them again", f"facejobs retry {job}")
    if planned:
        yield Step("Once the source is corrected, this lists it anew", f"facejobs run {job} --replan")
