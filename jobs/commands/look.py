"""`facejobs status`, `report` and `verify`: what a run has come to."""

from __future__ import annotations

import json
from typing import Any

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.kinds import KINDS, REPORTS
from jobs.locate import is_job_file, locate
from jobs.pairs.survey.start import KIND as SURVEY
from jobs.spec import Spec
from jobs.train import status as of_training
from jobs.train.find import Training, training_at
from jobs.train.layout import TENSORBOARD
from jobs.watch.follow import Follower
from jobs.watch.live import watch
from jobs.watch.watcher import Watcher
from operators.models import ModelFileError
from pipeline import layout
from pipeline.run import Run
from pipeline.tally import tally_of
from pipeline.verify import Findings, verify

SHOWN = 20


def show_status(place: str, as_json: bool, out: Output) -> Exit:
    """Counts from the ledger alone; of a training, how far it is."""
    if (training := trained(place, out)) is not None:
        return of_training.show_status(training, as_json, out)
    status = status_of(_found(place, out))
    if as_json:
        out.say(json.dumps(status, indent=1))
        return Exit.DONE
    out.say(f"{status['name']}: run {status['run_id']}, {status['state']}")
    out.say(f"units     {status['units_committed']} of {status['units_planned']} committed")
    out.say(
        f"records   {status['records_planned']} planned, {status['records_ok']} ok, "
        f"{status['records_quarantined']} in quarantine, {status['records_todo']} to do"
    )
    for name, count in status["counts"].items():
        out.say(f"  {name}: {count}")
    for code, count in status["quarantined_by_code"].items():
        out.say(f"  in quarantine, {code}: {count}")
    return Exit.DONE


def watch_status(place: str, every: float, as_json: bool, out: Output) -> Exit:
    """Counts as they grow, until the run is complete."""
    watch(Watcher(followed(place, out)), every, out, as_json=as_json)
    return Exit.DONE


def trained(place: str, out: Output) -> Training | None:
    """The training at a place; None where it is none."""
    training = training_at(place, job_file=is_job_file(place))
    if training is not None:
        out.use(training.scrubber)
    return training


def followed(place: str, out: Output) -> Follower:
    """A run to be watched; whether it is the one that the place asks for is said.

    Raises:
        CommandError: it is a training, which is watched otherwise.
    """
    if (training := trained(place, out)) is not None:
        folder = f"{training.output.uri.rstrip('/')}/{TENSORBOARD}"
        raise CommandError(of_training.WATCHED_ELSEWHERE.format(place=folder), Exit.USAGE)
    follower = Follower(place)
    out.use(follower.scrubber)
    _note(place, follower.run, follower.job, out)
    return follower


def status_of(run: Run) -> dict[str, Any]:
    """The run's state as plain JSON values."""
    tally = tally_of(run)
    return {
        "name": run.header.name,
        "kind": run.header.kind,
        "run_id": run.header.run_id,
        "state": "complete" if tally.complete else "closed" if run.closed else "incomplete",
        "created": run.header.created,
        "rounds": len(run.rounds()),
        "units_planned": tally.units_planned,
        "units_committed": tally.units_committed,
        "records_planned": tally.records_planned,
        "records_ok": tally.ok,
        "records_quarantined": tally.quarantined,
        "records_todo": tally.records_planned - tally.done,
        "quarantined_by_code": dict(tally.codes.most_common()),
        "counts": dict(sorted(tally.counts.items())),
        "output_objects": tally.output_objects,
        "output_bytes": tally.output_bytes,
    }


def make_report(place: str, out: Output) -> Exit:
    """Write the HTML report of the run as it stands."""
    if (training := trained(place, out)) is not None:
        return of_training.make_report(training, out)
    run = _found(place, out)
    REPORTS[run.header.kind](run, out.scrubber)
    out.say(f"report: {run.folder.uri}/{layout.REPORT}")
    return Exit.DONE


def verify_run(place: str, as_json: bool, out: Output) -> Exit:
    """Every output against its recorded SHA-256."""
    training = trained(place, out)
    findings = of_training.verify(training) if training is not None else verify(_found(place, out))
    if as_json:
        out.say(json.dumps(vars(findings), indent=1))
    else:
        _say(findings, out)
    return Exit.DONE if findings.clean else Exit.MISMATCH


def _found(place: str, out: Output) -> Run:
    located = locate(place)
    out.use(located.scrubber)
    _note(place, located.run, located.job, out)
    return located.run


def _note(place: str, run: Run, job: Spec | None, out: Output) -> None:
    shown = f"run {run.header.run_id} of {run.header.created}"
    if run.header.kind == SURVEY and job is not None:
        out.log(f"no pairs have been made yet; the survey is shown, {shown}")
    elif job is not None and _differs(run, job):
        out.log(f"{shown} is shown: {place} is another job, or was changed since")


def _differs(run: Run, job: Spec) -> bool:
    """Whether the run is another job's, as far as it can be told here: on a machine without the models it cannot."""
    try:
        return run.header.kind != job.job or bool(KINDS[job.job].changed(run, job))
    except (ModelFileError, CommandError):
        return False


def _say(findings: Findings, out: Output) -> None:
    for word in ("missing", "changed", "extra"):
        paths: list[str] = getattr(findings, word)
        for path in paths[:SHOWN]:
            out.say(f"{word}: {path}")
        if len(paths) > SHOWN:
            out.say(f"{word}: and {len(paths) - SHOWN} more (--json names all)")
    wrong = len(findings.missing) + len(findings.changed) + len(findings.extra)
    out.say(
        f"{findings.checked} outputs read, " + ("all as recorded" if findings.clean else f"{wrong} not as recorded")
    )
