"""What the commands ask of a kind of job, and the table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jobs.pairs.plan
import jobs.pairs.run
import jobs.pairs.start
import jobs.restore.plan
import jobs.restore.run
import jobs.restore.start
import jobs.train.commands
from jobs.console import Output
from jobs.ended import Ended
from jobs.estimate.plan import Asked
from jobs.exits import Exit
from jobs.nightly.foresee import plan_tonight
from jobs.pairs.report.write import write_pairs_report
from jobs.pairs.survey.start import KIND as SURVEY
from jobs.report.write import write_report
from jobs.restore.weights import lacking
from jobs.spec import RestoreJob, Scrubber
from jobs.wishes import Wishes
from pipeline.run import Run
from pipeline.writer_lock import SoleWriters


@dataclass(frozen=True)
class Kind:
    """A kind of job, for the commands; the job that they are given is always of its own model.

    Attributes:
        run: plan the job's run or take it up again, and process what is left; the wishes are those of the command line.
        retry: process what is in quarantine again: job, how it was named, its run, codes (none for all).
        plan: say what a run would come to: job, what is asked for.
        find: the job's own run, if its output holds results of it; else whichever run's results the output holds.
        changed: in what a run differs from a job, one line a key.
        note: what is to be done before the job can run here, empty for nothing; touches no storage.
        report: write the report of a run as it stands.
    """

    run: Callable[[Any, Output, SoleWriters, Wishes], Ended]
    retry: Callable[[Any, str, Run, frozenset[str], Output, SoleWriters], Ended]
    plan: Callable[[Any, Asked, Output], Exit]
    find: Callable[[Any], Run | None]
    changed: Callable[[Run, Any], list[str]]
    note: Callable[[Any], str]
    report: Callable[[Run, Scrubber], None]


def _plan_restore(job: RestoreJob, asked: Asked, out: Output) -> Exit:
    plan = jobs.restore.plan.plan_job if job.selection is None else plan_tonight
    return plan(job, asked, out)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "restore": Kind(
            run=jobs.restore.run.run,
            retry=jobs.restore.run.retry,
            plan=_plan_restore,
            find=jobs.restore.start.find,
            changed=lambda run, job: jobs.restore.start.is_of(run, job)[0],
            note=lacking,
            report=write_report,
        ),
        "pairs": Kind(
            run=jobs.pairs.run.run,
            retry=jobs.pairs.run.retry,
            plan=jobs.pairs.plan.plan_job,
            find=jobs.pairs.start.find,
            changed=jobs.pairs.start.changed,
            note=lambda job: "",
            report=write_pairs_report,
        ),
        "train": Kind(
            run=jobs.train.commands.run,
            retry=jobs.train.commands.retry,
            plan=jobs.train.commands.plan,
            find=lambda job: None,
            changed=lambda run, job: [],
            note=lambda job: "",
            report=jobs.train.commands.report,
        ),
    }
)

REPORTS: Mapping[str, Callable[[Run, Scrubber], None]] = MappingProxyType(
    {**{name: kind.report for name, kind in KINDS.items()}, SURVEY: write_pairs_report}
)
"""By kind of run: what writes its report. A survey is a run that no job file names."""
