"""Puts the report of a training into its output."""

from __future__ import annotations

from jobs.report.scrub import scrubbed
from jobs.spec.secrets import Scrubber
from jobs.train import layout
from jobs.train.artefacts.report.render import report
from jobs.train.facts import report_facts
from jobs.train.header import Header
from pipeline.storage import Folder


def write_training_report(output: Folder, header: Header, scrubber: Scrubber, given_up: str = "") -> None:
    """Write `report.html` of a training as it stands.

    Args:
        output: of the training.
        header: what it is.
        scrubber: takes the job's secrets out of it.
        given_up: why it cannot go on; empty where it can.
    """
    facts = scrubbed(report_facts(output, header, given_up), scrubber.scrub)
    output.write(layout.REPORT, report(facts).encode())
