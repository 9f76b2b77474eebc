"""What a summary says of a run, from how driving it ended and from its ledger."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.pairs.survey.start import KIND as SURVEY
from jobs.report.clock import Clock
from jobs.summary.data import RunFacts
from pipeline import layout
from pipeline.driver import Outcome
from pipeline.quarantine import standing_commits
from pipeline.run import Run
from pipeline.tally import Tally, planned, tally_of

WORDS = {"restore": ("record", "restored or copied"), "pairs": ("pair", "made"), SURVEY: ("image", "surveyed")}


def counted(run: Run, outcome: Outcome | None) -> tuple[Tally, float | None]:
    """The run's counts from its ledger alone; and, where this command worked on it, the seconds in which it was."""
    if outcome is None or not outcome.worked:
        return tally_of(run), None
    tally, clock = planned(run), Clock()
    for commit, rows in standing_commits(run, run.ledger.committed()):
        tally.add_commit(commit, rows)
        clock.add(commit)
    return tally, clock.wall() or None


def facts_of(run: Run, outcome: Outcome | None, tally: Tally, wall: float | None, *, whole: bool) -> RunFacts:
    """A run in numbers and places.

    Args:
        run: the run.
        outcome: how driving it ended; None where there was nothing to do.
        tally: its counts.
        wall: seconds in which it was worked on, if they are known.
        whole: whether the counts are those of the ledger; else bytes are not known.
    """
    header, counts = run.header, tally.counts
    restored = header.kind == "restore"
    noun, made = WORDS.get(header.kind, ("record", "done"))
    return RunFacts(
        run_id=header.run_id,
        noun=noun,
        made=made,
        created=header.created,
        source=str(header.job["source"]["uri"]),
        output=run.outputs.uri,
        folder=run.folder.uri,
        report="",
        quarantine="",
        units_planned=tally.units_planned,
        units_committed=tally.units_committed,
        units_worked=outcome.worked if outcome is not None else 0,
        planned=tally.records_planned,
        ok=tally.ok,
        quarantined=tally.quarantined,
        faces_found=counts.get("faces_found", 0) if restored else None,
        faces_restored=counts.get("faces_restored", 0) + counts.get("faces_flagged", 0) if restored else None,
        counts=dict(sorted(counts.items())),
        bytes_in=counts.get("bytes_in") if whole else None,
        bytes_out=tally.output_bytes if whole else None,
        wall_seconds=wall,
    )


def places(run: Run) -> Iterator[str]:
    """Where report and quarantine list lie, in this order; empty for what is not there."""
    for name in (layout.REPORT, layout.QUARANTINE):
        yield f"{run.folder.uri}/{name}" if run.folder.exists(name) else ""
