"""`facejobs init`, `validate`, `schema` and `version`: what helps to write a job."""

from __future__ import annotations

import json
from pathlib import Path

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.kinds import KINDS
from jobs.notify.addressees import addressees, lacking
from jobs.spec import Spec, TrainJob, load
from jobs.spec.example import example
from jobs.spec.job import JOBS
from jobs.spec.problems import listed
from jobs.spec.schema import schema
from jobs.spec.train_checks import places_of
from jobs.versions import versions


def init_job(kind: str, path: Path | None, force: bool, out: Output) -> Exit:
    """Write a commented example job file, or show it when no path is given."""
    if kind not in JOBS:
        meant = f"; to write a file: facejobs init restore {kind}" if path is None and "." in kind else ""
        raise CommandError(f"there is no kind of job '{kind}', expected {listed(list(JOBS))}{meant}", Exit.USAGE)
    text = example(kind)
    if path is None:
        out.say(text.rstrip("\n"))
        return Exit.DONE
    if path.exists() and not force:
        raise CommandError(f"{path}: exists already; name another file, or say --force to overwrite it", Exit.USAGE)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror})", Exit.USAGE) from error
    changes = "data.uri" if kind == "train" else "source.uri"
    out.say(f"wrote {path}; change {changes} and output.uri, then: facejobs validate {path}")
    return Exit.DONE


def validate_job(path: str, out: Output) -> Exit:
    """Check a job file without touching any storage."""
    job = load(path)
    out.say(f"{path}: a valid {job.job} job, {_reads(job)} -> {job.output.uri}")
    for what in (KINDS[job.job].note(job), lacking(job)):
        if what:
            out.say(f"note: {what}")
    if not lacking(job):
        addressees(job)
    return Exit.DONE


def _reads(job: Spec) -> str:
    """Where a job reads from."""
    return " and ".join(places_of(job.data).values()) if isinstance(job, TrainJob) else job.source.uri


def show_schema(out: Output) -> Exit:
    """The JSON Schema of the job file."""
    out.say(json.dumps(schema(), indent=2))
    return Exit.DONE


def show_version(as_json: bool, out: Output) -> Exit:
    """Versions of facejobs and of what touches pixels."""
    if as_json:
        out.say(json.dumps(versions(), indent=1))
    else:
        for name, number in versions().items():
            out.say(f"{name} {number}")
    return Exit.DONE
