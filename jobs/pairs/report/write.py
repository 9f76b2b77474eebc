"""Puts a pairs run's report into the run's folder."""

from __future__ import annotations

from jobs.pairs.report.collect import collect
from jobs.pairs.report.render import render
from jobs.report.scrub import scrubbed
from jobs.spec import Scrubber
from pipeline import layout
from pipeline.run import Run


def write_pairs_report(run: Run, scrubber: Scrubber) -> None:
    """Write `report.html` of a run, or of a survey, as it stands, without the job's secrets."""
    run.folder.write(layout.REPORT, render(scrubbed(collect(run), scrubber.scrub)).encode())
