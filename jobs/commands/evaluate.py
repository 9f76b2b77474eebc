"""`facejobs evaluate`: how good results are, beside their truth or as a set."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from jobs.console import LINE_SECONDS, Output
from jobs.errors import CommandError
from jobs.evaluate.account import Facts, account, networks_of
from jobs.evaluate.asking import Asked, Planned, planned
from jobs.evaluate.gather import Gathered, gather
from jobs.evaluate.plan import Plan
from jobs.evaluate.pool import looked_at
from jobs.evaluate.summary import Summary, summarise
from jobs.evaluate.tables import plain, tables_of
from jobs.evaluate.worker import Looked
from jobs.evaluate.write import refuse_existing, write
from jobs.exits import Exit
from jobs.models.addresses import shown
from jobs.places import output_of, source_of
from jobs.spec import PairsJob, RestoreJob, Scrubber, load, secrets_of
from pipeline.storage import Folder


def evaluate(asked: Asked, job: str | None, as_json: bool, out: Output) -> Exit:
    """Measure, say it and write it down."""
    if job is not None:
        named = load(job)
        out.use(Scrubber(secrets_of(named)))
        if not isinstance(named, RestoreJob | PairsJob):
            raise CommandError(f"--job {job}: is of the kind {named.job}, expected restore or pairs", Exit.USAGE)
        asked = replace(asked, options={**source_of(named).options, **output_of(named).options})
    folder = Folder(asked.to, asked.options_of(asked.to))
    refuse_existing(folder, force=asked.force)
    found = planned(asked)
    for note in found.notes:
        out.log(note)
    plan = found.plan
    out.log(f"{len(plan.names):,} pictures, {len(plan.methods)} methods: {', '.join(one.name for one in plan.methods)}")
    with tempfile.TemporaryDirectory(prefix="facejobs-") as scratch:
        results = looked_at(plan, plan.tasks(), asked.processes)
        gathered = gather(plan, _said(results, plan, out), Path(scratch))
        _refuse_nothing(gathered)
        summary = summarise(plan, gathered, found.against, asked.rounds)
        result = account(plan, gathered, summary, _facts(found, gathered, summary, asked))
        names = write(folder, result, gathered.sheet, Path(scratch), plan.settings.shown_side)
    out.say(json.dumps(result, indent=1) if as_json else plain(tables_of(result)))
    out.log(f"wrote {', '.join(names)} to {shown(asked.to)}")
    return _end(gathered, out)


def _said(results: Iterator[Looked], plan: Plan, out: Output) -> Iterator[Looked]:
    """The same results, with a line every few seconds."""
    last = time.monotonic()
    total = len(plan.names) + (len(plan.reference.records) if plan.reference else 0)
    for done, looked in enumerate(results, start=1):
        yield looked
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            out.log(f"{done:,} of {total:,} pictures")


def _facts(found: Planned, gathered: Gathered, summary: Summary, asked: Asked) -> Facts:
    notes = list(found.notes)
    sets = summary.sets
    if sets is not None:
        least = min([sets.reference, *(one.pictures for one in sets.methods.values())])
        if least < sets.dimensions:
            notes.append(
                f"FID is of {least:,} pictures for {sets.dimensions} features: with fewer pictures than features it is "
                "far too high and depends on their number; KID has no such bias."
            )
    failed = sum(sum(one.errors.values()) for one in gathered.methods.values())
    if failed:
        notes.append(f"{failed:,} pictures could not be measured; evaluation.csv says of each why.")
    return Facts(found.title, found.places, networks_of(found.plan), tuple(notes), asked.rounds)


def _refuse_nothing(gathered: Gathered) -> None:
    """Raise CommandError where no picture of any method could be measured."""
    if any(sum(one.errors.values()) < gathered.pictures for one in gathered.methods.values()):
        return
    examples = [text for one in gathered.methods.values() for text in one.examples.values()]
    first = examples[0] if examples else "there is no picture"
    raise CommandError(f"none of {gathered.pictures:,} pictures could be measured; the first: {first}", Exit.BAD_JOB)


def _end(gathered: Gathered, out: Output) -> Exit:
    failed = 0
    for name, one in gathered.methods.items():
        for code, count in one.errors.items():
            failed += count
            out.log(f"{name}: {count:,} {code}, the first: {one.examples[code]}", level="warning")
    if gathered.reference is not None and gathered.reference.errors:
        failed += sum(gathered.reference.errors.values())
        out.log(f"reference: {sum(gathered.reference.errors.values()):,} pictures could not be read", level="warning")
    return Exit.QUARANTINED if failed else Exit.DONE
