"""What the commands show of a training: how far it is, whether its files are whole, what is left over."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jobs.console import Output as Console
from jobs.exits import Exit
from jobs.train import layout
from jobs.train.commit import GOODNESS, SECONDS
from jobs.train.curve import happenings_of, read_rows, terms_of
from jobs.train.find import Training
from jobs.train.header import read_end
from jobs.train.lock import TrainingLock
from jobs.train.report import write_training_report
from jobs.train.words import of_row
from pipeline.checkpoints import MISSING, Checkpoints
from pipeline.verify import Findings
from pipeline.writer_lock import SoleWriters

NO_QUARANTINE = "a training has no quarantine: pictures that cannot be read are named when it begins, and left out"
WATCHED_ELSEWHERE = (
    "a training has no units to watch; its curves grow in the folder {place}, which TensorBoard shows as they do: "
    "tensorboard --logdir {place}"
)


def status_of(training: Training) -> dict[str, Any]:
    """The state of a training, JSON values."""
    header, output = training.header, training.output
    kept, end, rows = Checkpoints(output.child(layout.CHECKPOINTS)).all(), read_end(output), read_rows(output)
    done = kept[-1].number if kept else 0
    measured = {one.number: one.facts[GOODNESS] for one in kept if one.facts.get(GOODNESS) is not None}
    terms = terms_of(rows)
    return {
        "name": header.name,
        "kind": "train",
        "model": header.model,
        "state": "complete" if end is not None else "incomplete",
        "created": header.created,
        "steps": header.steps,
        "steps_done": done,
        "samples_seen": done * header.batch,
        "seconds": kept[-1].facts[SECONDS] if kept else 0.0,
        "checkpoints": [one.number for one in kept],
        "best_checkpoint": max(measured, key=lambda number: measured[number]) if measured else None,
        "last_row": dict(terms[-1]) if terms else None,
        "rollbacks": [one.text for one in happenings_of(rows)],
    }


def show_status(training: Training, as_json: bool, out: Console) -> Exit:
    """Say it."""
    status = status_of(training)
    if as_json:
        out.say(json.dumps(status, indent=1))
        return Exit.DONE
    out.say(f"{status['name']}: training of {status['model']}, {status['state']}")
    out.say(f"steps        {status['steps_done']} of {status['steps']}, {status['samples_seen']} samples seen")
    out.say(f"time         {status['seconds']:.0f} s of work")
    best = status["best_checkpoint"]
    out.say(
        f"checkpoints  {', '.join(map(str, status['checkpoints'])) or 'none'}"
        f"{f'; the best of them is {best}' if best is not None else ''}"
    )
    if status["last_row"] is not None:
        out.say(f"last row     step {status['last_row']['step']}: {of_row(status['last_row'])}")
    for text in status["rollbacks"]:
        out.say(text)
    return Exit.DONE


def make_report(training: Training, out: Console) -> Exit:
    """Write the report of a training as it stands."""
    write_training_report(training.output, training.header, out.scrubber)
    out.say(f"report: {training.output.uri.rstrip('/')}/{layout.REPORT}")
    return Exit.DONE


def verify(training: Training) -> Findings:
    """Every checkpoint and the model against the hashes that were noted of them."""
    checkpoints = Checkpoints(training.output.child(layout.CHECKPOINTS))
    findings = Findings()
    for number in checkpoints.numbers():
        place = f"{layout.CHECKPOINTS}/{number:09d}"
        kept = checkpoints.kept(number)
        if kept is None:
            findings.changed.append(f"{place}.json")
            continue
        _files, wrong = checkpoints.read(kept)
        findings.checked += len(kept.files)
        for name, problem in wrong.items():
            (findings.missing if problem == MISSING else findings.changed).append(f"{place}/{name}")
    end = read_end(training.output)
    for name, (digest, _size) in (end.files if end is not None else {}).items():
        findings.checked += 1
        try:
            data = training.output.read(name)
        except FileNotFoundError:
            findings.missing.append(name)
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            findings.changed.append(name)
    return findings


def collect(training: Training, out: Console, *, dry_run: bool, as_json: bool) -> Exit:
    """Remove what interrupted checkpoints have left. Nobody trains there meanwhile, so that their age says nothing.

    Args:
        training: the training.
        out: told what was removed.
        dry_run: remove nothing.
        as_json: say it as JSON.

    Raises:
        TrainingInProgressError: somebody trains there.
    """
    checkpoints = Checkpoints(training.output.child(layout.CHECKPOINTS))
    with SoleWriters(out.log) as writers:
        if not dry_run:
            writers.hold(TrainingLock(writers.output(training.output)))
        remains = checkpoints.remains()
        for name in remains if not dry_run else ():
            checkpoints.folder.delete(name)
    if as_json:
        out.say(json.dumps({"dry_run": dry_run, "objects": len(remains), "bytes": sum(remains.values())}, indent=1))
    else:
        verb = "would be removed" if dry_run else "removed"
        out.say(f"{len(remains)} files of checkpoints that were never finished {verb}, {sum(remains.values())} bytes")
    return Exit.DONE
