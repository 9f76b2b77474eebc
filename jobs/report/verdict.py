"""The one line that a person reads first: how the run stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.report.data import ReportData, Totals
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


def judge(data: ReportData) -> Verdict:
    """Say how a run stands.

    Args:
        data: of a finished or unfinished run.

    Returns:
        A verdict that says so when the counts do not add up, rather than repeating a state that cannot be true.
    """
    totals = data.totals
    contradiction = _contradiction(data)
    if contradiction:
        return Verdict("bad", contradiction, _changes(totals))
    if data.state == "incomplete":
        return Verdict(
            "open",
            f"This run is not finished: {count(totals.units_committed)} of {_many(totals.units_planned, 'unit')} "
            f"{_are(totals.units_committed)} done. Run the same job again and it continues where it stopped.",
            _changes(totals),
        )
    if totals.records_planned == 0:
        return Verdict("mixed", "The source held no records, so there was nothing to do.", "")
    if totals.records_quarantined == 0:
        return Verdict("good", f"Done: {_every(totals.records_planned)} an output.", _changes(totals))
    return Verdict(
        "mixed",
        f"Done: {count(totals.records_ok)} of {_many(totals.records_planned, 'record')} "
        f"{'has' if totals.records_ok == 1 else 'have'} an output; {count(totals.records_quarantined)} could not be "
        f"processed and {_are(totals.records_quarantined)} in quarantine, each with its reason.",
        _changes(totals),
    )


def _contradiction(data: ReportData) -> str:
    totals = data.totals
    settled = totals.records_ok + totals.records_quarantined
    ask = "Do not rely on this run before `facejobs verify` has found the cause."
    if data.state == "complete" and totals.units_committed != totals.units_planned:
        return (
            f"The counts do not add up: the run is called complete, but {count(totals.units_committed)} of "
            f"{_many(totals.units_planned, 'unit')} {_are(totals.units_committed)} committed. {ask}"
        )
    wrong = settled != totals.records_planned if data.state == "complete" else settled > totals.records_planned
    if wrong:
        return (
            f"The counts do not add up: {_many(totals.records_planned, 'record')} planned, but "
            f"{count(totals.records_ok)} with an output and {count(totals.records_quarantined)} in quarantine. {ask}"
        )
    return ""


def _changes(totals: Totals) -> str:
    if totals.records_ok == 0:
        return ""
    if totals.images_changed == 0:
        return f"No picture was changed; {_many(totals.faces_found, 'face')} found."
    restored = f"{_many(totals.faces_restored, 'face')} restored in {_many(totals.images_changed, 'picture')}"
    if totals.images_unchanged == 0:
        return f"{restored}."
    left = "was left as it was" if totals.images_unchanged == 1 else "were left as they were"
    return f"{restored}; {_many(totals.images_unchanged, 'picture')} {left}."


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _every(records: int) -> str:
    return "the one record has" if records == 1 else f"each of the {count(records)} records has"
