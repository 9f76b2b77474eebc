"""The beginning of a restore run: the one that is there is taken up again, or a new one is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.places import output_of, source_of
from jobs.restore.identity import differences, digest, identity_of, settings_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import RestoreJob
from jobs.versions import facejobs_version, versions
from pipeline import layout
from pipeline.cutting import cut_units, digest_of
from pipeline.errors import RecordError, RunConflictError
from pipeline.history import next_version, standing_in, standing_runs
from pipeline.keyset import KeySet
from pipeline.ledger import now
from pipeline.names import fold
from pipeline.plan import PlanSummary
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Record, Unit
from pipeline.run import Run, RunHeader, current_run, make_current, make_first, plan_retry, plan_run
from pipeline.sinks import SinkSpec
from pipeline.sources import Ignored, list_records
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec

OnListed = Callable[[int], None]


@dataclass(frozen=True)
class Started:
    """A run that can be driven.

    Attributes:
        run: the run.
        resumed: whether it had been planned before.
    """

    run: Run
    resumed: bool


def start(job: RestoreJob, on_listed: OnListed = lambda count: None, *, replan: bool = False) -> Started:
    """Find the job's run in its output, or plan it.

    Args:
        job: the job.
        on_listed: told now and then how many records have been listed.
        replan: list the source again, and plan a new run if it holds others than when the job's run was planned.

    Raises:
        RunConflictError: the output holds another run's results, or files of no run at all.
        SourceError: the source cannot be read as the job says.
        StorageError: storage unreachable or refusing.
    """
    output = output_of(job)
    identity = identity_of(job)
    current = current_run(output)
    known = _known(output, current, identity, job.output.existing)
    moved = replan and known is not None and _listed_anew(job, on_listed) != known.header.plan.digest
    if known is not None and not moved:
        if current is None or current.header.run_id != known.header.run_id:
            make_current(known)
        return Started(known, resumed=True)
    foreign = _foreign(output) if current is None and job.output.existing != "replace" else ""
    if job.output.existing == "refuse" and not moved:
        _refuse(output, current, identity, foreign)
    output.check()
    aside = job.output.existing == "version" and (current is not None or foreign)
    prefix = next_version(output, digest(identity)) if aside else known.header.prefix if known is not None else ""
    run = _plan(job, output, identity, prefix, on_listed)
    if current is None:
        make_first(run)
    else:
        make_current(run)
    return Started(run, resumed=False)


def find(job: RestoreJob) -> Run | None:
    """The job's own run, if its output holds results of it; else whichever run's results the output holds.

    Raises:
        StorageError: storage unreachable or refusing.
        LedgerError: what a run has written about itself is damaged.
    """
    output = output_of(job)
    current = current_run(output)
    if current is None:
        return None
    return _known(output, current, identity_of(job), "version") or current


def is_of(run: Run, job: RestoreJob) -> list[str]:
    """What differs between a run and a job, one line a key; empty when the run is the job's own."""
    return differences(dict(run.header.identity), identity_of(job))


def retry(job: RestoreJob, run: Run, codes: frozenset[str] = frozenset()) -> int:
    """Plan a round with the records that are in quarantine now, but for those that the plan found wrong for good.

    Args:
        job: the run's job.
        run: a run whose units are all committed.
        codes: only records quarantined for these reasons; all when empty.

    Returns:
        how many records it has; 0 plans nothing.
    """
    keys = KeySet(row.key for row in standing(run) if retriable(row) and (not codes or row.code in codes))
    if not keys:
        return 0
    round_ = len(run.rounds())
    records = map(_as_it_is_now, records_of(run, keys))
    units = cut_units(records, job.run.unit_records, job.run.unit_bytes, salt=f"retry {round_}")
    return plan_retry(run, units, _namer(RestoreSettings.of(job))).records


def worker_spec(job: RestoreJob, run: Run) -> WorkerSpec:
    """What workers need to process the run's units."""
    workflow = RestoreWorkflow(
        settings=RestoreSettings.of(job),
        version=facejobs_version(),
        settings_sha256=digest(settings_of(dict(run.header.identity))),
        samples=job.run.samples,
        records=run.header.plan.records,
    )
    return WorkerSpec(
        run=run.folder,
        source=source_of(job),
        sink=SinkSpec(job.output.layout, run.outputs),
        workflow=workflow,
        threads=job.run.threads,
        versions=versions,
    )


def _plan(job: RestoreJob, output: Folder, identity: dict[str, Any], prefix: str, on_listed: OnListed) -> Run:
    ignored = Ignored()
    replaced = standing_in(output, prefix)
    replaces = replaced.header.run_id if replaced is not None else ""
    records = _counted(list_records(source_of(job), ignored), on_listed)

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(
            run_id=run_id,
            name=job.name,
            kind=job.job,
            identity=identity,
            job=identity["job"],
            plan=plan,
            prefix=prefix,
            replaces=replaces,
            created=now(),
            notes=tuple(
                f"{count} other {'object was' if count == 1 else 'objects were'} left out: {reason} "
                f"(such as {ignored.examples[reason]})"
                for reason, count in sorted(ignored.counts.items())
            ),
        )

    units = _cut(job, records)
    # A run that writes over another is one of its own: a former run of the same job has a ledger that says all is
    # done, but its outputs may be gone since.
    salt = digest(identity) + prefix + replaces
    return plan_run(output, units, _namer(RestoreSettings.of(job)), header, salt)


def _cut(job: RestoreJob, records: Iterable[Record]) -> Iterator[Unit]:
    return cut_units(records, job.run.unit_records, job.run.unit_bytes)


def _listed_anew(job: RestoreJob, on_listed: OnListed) -> str:
    """The plan's digest as it would be now."""
    return digest_of(_cut(job, _counted(list_records(source_of(job)), on_listed)))


def _namer(settings: RestoreSettings) -> Callable[[Record], str]:
    def name(record: Record) -> str:
        if record.problem:
            return f"{record.uri}#{record.offset}#{record.row}"  # has no output, so it collides with nothing
        try:
            return fold(settings.name(record))
        except RecordError:
            return f"{record.uri}#{record.offset}#{record.row}"

    return name


def _counted(records: Iterator[Record], on_listed: OnListed) -> Iterator[Record]:
    for count, record in enumerate(records, 1):
        yield record
        if count % 1000 == 0:
            on_listed(count)


def _as_it_is_now(record: Record) -> Record:
    """A loose object is taken in whatever version it has by now: it may have been mended. A shard's offsets bind it."""
    return record if record.offset >= 0 or record.row >= 0 else replace(record, version="", size=-1)


def _known(output: Folder, current: Run | None, identity: dict[str, Any], existing: str) -> Run | None:
    """The run with this identity whose outputs still stand; a job that replaces looks at the output's own root only."""
    if current is not None and current.header.identity == identity:
        return current
    same = [run for run in standing_runs(output) if run.header.identity == identity]
    return next((run for run in same if existing != "replace" or not run.header.prefix), None)


def _conflict(output: Folder, current: Run, identity: dict[str, Any]) -> str:
    lines = differences(dict(current.header.identity), identity)
    return (
        f"{output.uri}: holds the results of run {current.header.run_id} of {current.header.created}, which differs "
        f"from this job in {len(lines)} point{'s' if len(lines) != 1 else ''}: {'; '.join(lines[:8])}. Name another "
        "output.uri, or say output.existing: replace (its outputs are overwritten) or version (both are kept)"
    )


def _refuse(output: Folder, current: Run | None, identity: dict[str, Any], foreign: str) -> None:
    """An output that no run has written to must be empty, so that nothing of somebody else's is overwritten."""
    if current is not None:
        raise RunConflictError(_conflict(output, current, identity))
    if foreign:
        raise RunConflictError(
            f"{output.uri}: is not empty (there is {foreign}) and no run of this job has written there. Name an empty "
            "folder, or say output.existing: replace (files of the same names are overwritten) or version (they are "
            "left alone)"
        )


def _foreign(output: Folder) -> str:
    """The first object in an output that is no part of a ledger, or an empty string."""
    return next((name for name, _ in output.walk() if not name.startswith(f"{layout.HOME}/")), "")
