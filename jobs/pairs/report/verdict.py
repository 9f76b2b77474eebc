"""The one line that a person reads first: how the run stands, in plain words."""

from __future__ import annotations

from jobs.pairs.report.data import PairsReport
from jobs.report.text import count
from jobs.report.verdict import Verdict, are, contradiction, many, unfinished


def judge(data: PairsReport) -> Verdict:
    """Say how a run stands.

    Args:
        data: of a finished or unfinished run.

    Returns:
        A verdict that says so when the counts do not add up, rather than repeating a state that cannot be true.
    """
    totals, detail = data.totals, _detail(data)
    if wrong := contradiction(data.state, totals):
        return Verdict("bad", wrong, detail)
    if data.state == "incomplete":
        return Verdict("open", unfinished(totals), detail)
    noun, done = ("pair", "made") if data.kind == "pairs" else ("image", "surveyed")
    if totals.records_planned == 0:
        return Verdict("mixed", f"There were no {noun}s to be {done}.", "")
    if totals.records_quarantined == 0:
        are_done = f"{many(totals.records_ok, noun)} {'was' if totals.records_ok == 1 else 'were'} {done}"
        return Verdict("good", f"Done: {are_done}.", detail)
    return Verdict(
        "mixed",
        f"Done: {count(totals.records_ok)} of {many(totals.records_planned, noun)} "
        f"{'was' if totals.records_ok == 1 else 'were'} {done}; {count(totals.records_quarantined)} could not be and "
        f"{are(totals.records_quarantined)} in quarantine, each with its reason.",
        detail,
    )


def _detail(data: PairsReport) -> str:
    if not data.splits:
        return ""
    parts = ", ".join(f"{count(split.pairs)} in {split.name}" for split in data.splits[:10])
    return f"{many(data.totals.samples, 'sample')} from {many(data.totals.sources, 'image')}: {parts}."
