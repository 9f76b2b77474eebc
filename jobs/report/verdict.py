"""The one line that a person reads first: how the run stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from jobs.report.data import ReportData, State, Totals
from jobs.report.text import count


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run has come to.

    Attributes:
        tone: `good` when all is done, `mixed` when records are in quarantine, `open` when the run is not finished,
            `bad` when the counts contradict each other.
        sentence: one line.
        detail: what was changed; empty when there is nothing to say.
    """

    tone: Literal["good", "mixed", "open", "bad"]
    sentence: str
    detail: str


class Counts(Protocol):
    """What every run counts."""

    @property
    def units_planned(self) -> int:
        """Units of the plan."""
        ...

    @property
    def units_committed(self) -> int:
        """Units that are done."""
        ...

    @property
    def records_planned(self) -> int:
        """Records of the plan."""
        ...

    @property
    def records_ok(self) -> int:
        """Records with an output."""
        ...

    @property
    def records_quarantined(self) -> int:
        """Records without one."""
        ...


def judge(data: ReportData) -> Verdict:
    """Say how a run stands.

    Args:
        data: of a finished or unfinished run.

    Returns:
        A verdict that says so when the counts do not add up, rather than repeating a state that cannot be true.
    """
    totals = data.totals
    wrong = contradiction(data.state, totals)
    if wrong:
        return Verdict("bad", wrong, _changes(totals))
    if data.state == "incomplete":
        return Verdict("open", unfinished(totals), _changes(totals))
    if totals.records_planned == 0:
        return Verdict("mixed", "The source held no records, so there was nothing to do.", "")
    if totals.records_quarantined == 0:
        return Verdict("good", f"Done: {_every(totals.records_planned)} an output.", _changes(totals))
    return Verdict(
        "mixed",
        f"Done: {count(totals.records_ok)} of {many(totals.records_planned, 'record')} "
        f"{'has' if totals.records_ok == 1 else 'have'} an output; {count(totals.records_quarantined)} could not be "
        f"processed and {are(totals.records_quarantined)} in quarantine, each with its reason.",
        _changes(totals),
    )


def unfinished(totals: Counts) -> str:
    """What is said of a run that can be continued."""
    return (
        f"This run is not finished: {count(totals.units_committed)} of {many(totals.units_planned, 'unit')} "
        f"{are(totals.units_committed)} done. Run the same job again and it continues where it stopped."
    )


def contradiction(state: State, totals: Counts) -> str:
    """How counts contradict each other, as a sentence; empty when they do not."""
    settled = totals.records_ok + totals.records_quarantined
    ask = "Do not rely on this run before `facejobs verify` has found the cause."
    if state == "complete" and totals.units_committed != totals.units_planned:
        return (
            f"The counts do not add up: the run is called complete, but {count(totals.units_committed)} of "
            f"{many(totals.units_planned, 'unit')} {are(totals.units_committed)} committed. {ask}"
        )
    wrong = settled != totals.records_planned if state == "complete" else settled > totals.records_planned
    if wrong:
        return (
            f"The counts do not add up: {many(totals.records_planned, 'record')} planned, but "
            f"{count(totals.records_ok)} with an output and {count(totals.records_quarantined)} in quarantine. {ask}"
        )
    return ""


def _changes(totals: Totals) -> str:
    if totals.records_ok == 0:
        return ""
    if totals.images_changed == 0:
        return f"No picture was changed; {many(totals.faces_found, 'face')} found."
    restored = f"{many(totals.faces_restored, 'face')} restored in {many(totals.images_changed, 'picture')}"
    if totals.images_unchanged == 0:
        return f"{restored}."
    left = "was left as it was" if totals.images_unchanged == 1 else "were left as they were"
    return f"{restored}; {many(totals.images_unchanged, 'picture')} {left}."


def many(number: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def are(number: int) -> str:
    """`is` or `are`."""
    return "is" if number == 1 else "are"


def _every(records: int) -> str:
    return "the one record has" if records == 1 else f"each of the {count(records)} records has"
