"""The one line that a person reads first, in a list of mails: how it ended, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from jobs.exits import Exit
from jobs.report.text import count
from jobs.report.verdict import are, many
from jobs.summary.data import Summary

Tone = Literal["good", "mixed", "open", "bad"]
TONES: Mapping[Exit, Tone] = {
    Exit.DONE: "good",
    Exit.QUARANTINED: "mixed",
    Exit.INTERRUPTED: "open",
    Exit.BUSY: "open",
}
DUE = ("asked", "new", "changed", "failed", "outdated", "resumed")
"""Causes of work; see `jobs.nightly.chosen`."""
ENDS = {
    "time": "ended because its hours are used up; the next night goes on",
    "records": "ended because it has done as many records as a night may; the next night goes on",
}
SAID = {"asked": "asked for", "failed": "failed before", "resumed": "left from the night before"}
REST = (
    ("deleted", "deleted at the source"),
    ("tombstoned", "derivatives taken away, since their source is gone"),
    ("returned", "back at the source"),
    ("touched", "with another version and the same bytes"),
    ("unchanged", "unchanged"),
    ("differs", "made by other models or settings, and left as they are"),
    ("carried_over", "carried over to the next night"),
)
WARNINGS = 3


def tone(summary: Summary) -> Tone:
    """`good` where all is done, `mixed` with quarantined records, `open` where it was stopped, `bad` for the rest."""
    return "open" if summary.state == "time_up" else TONES.get(summary.exit, "bad")


def headline(summary: Summary) -> str:
    """How it ended, a few words: `12 in quarantine`."""
    quarantined = summary.run.quarantined if summary.run is not None else 0
    match summary.exit:
        case Exit.DONE | Exit.QUARANTINED if summary.state == "time_up":
            return f"time is up, {count(summary.run.todo)} to do" if summary.run is not None else "time is up"
        case Exit.DONE:
            done = f"done, {many(summary.run.ok, summary.run.noun)}" if summary.run is not None else "done"
            return done if summary.worked else "nothing to do"
        case Exit.QUARANTINED:
            return f"{count(quarantined)} in quarantine" if quarantined else "done, with records in quarantine"
        case Exit.OVER_BUDGET:
            return f"stopped, {count(quarantined)} in quarantine"
        case Exit.STORAGE:
            return "storage does not answer or refuses"
        case Exit.BAD_JOB:
            return "the job, its source or its model cannot be used"
        case Exit.CONFLICT:
            return "another run is in the way"
        case Exit.BUSY:
            return "another night is under way"
        case Exit.INTERRUPTED:
            return "interrupted"
        case _:
            return "not finished" if summary.state == "incomplete" else "failed"


def title(summary: Summary) -> str:
    """Of a message."""
    return f"facejobs {summary.job}: {headline(summary)}"


def sentence(summary: Summary) -> str:
    """How it ended, with numbers, for people."""
    run = summary.run
    if summary.state == "error" or run is None:
        return f"The command ended with an error: {summary.meaning}." if summary.state == "error" else _idle(summary)
    if not summary.worked:
        found = f"; {many(run.quarantined, run.noun)} {are(run.quarantined)} in quarantine" if run.quarantined else ""
        return f"There was nothing to do: the run is complete{found}."
    end = {
        "complete": "Done",
        "time_up": "The time that it was given is over",
        "over_budget": "Stopped, since more is in quarantine than the job allows",
        "storage": "Stopped, since storage does not answer or refuses",
        "interrupted": "Stopped by a signal",
    }.get(summary.state, "Not finished")
    parts = [f"{count(run.ok)} of {many(run.planned, run.noun)} {run.made}"]
    if run.quarantined:
        parts.append(f"{count(run.quarantined)} in quarantine")
    if run.todo:
        parts.append(f"{count(run.todo)} to do")
    return f"{end}: {', '.join(parts)}."


def _idle(summary: Summary) -> str:
    if summary.kind == "train" and summary.worked and summary.exit == Exit.DONE:
        return "Done: the training has come to its last step."
    return "There was nothing to do." if summary.exit == Exit.DONE else f"{summary.meaning.capitalize()}."


def night_lines(night: Mapping[str, Any]) -> list[str]:
    """A night's account: what was due, what was not, and what became of it.

    Args:
        night: see `jobs.nightly.account.Account`; what is missing counts as nothing.
    """
    due = night.get("due", {})
    parts = [f"{count(due[kind])} {SAID.get(kind, kind)}" for kind in DUE if due.get(kind)]
    listed = night.get("listed")
    beginning = f"{count(listed)} listed" if listed is not None else "the source was not listed"
    rest = [f"{count(night[key])} {words}" for key, words in REST if night.get(key)]
    lines = [f"{beginning}: {', '.join(parts) or 'nothing due'}", "; ".join(rest)]
    if night.get("done") or night.get("quarantined"):
        lines.append(f"{count(night.get('done', 0))} done, {count(night.get('quarantined', 0))} in quarantine")
    lines.append(ENDS.get(night.get("why_ended", ""), ""))
    warnings = [str(each).removeprefix("WARNING: ") for each in night.get("warnings", ())]
    lines += [f"warning: {warning}" for warning in warnings[:WARNINGS]]
    return [line for line in lines if line]


def night_worked(night: Mapping[str, Any]) -> bool:
    """Whether a night had anything to do."""
    return any(night.get(key) for key in ("planned", "done", "quarantined", "tombstoned"))
