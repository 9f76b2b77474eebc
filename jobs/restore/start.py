"""The beginning of a restore run: the one that is there is taken up again, or a new one is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.places import output_of, source_of
from jobs.restore.identity import differences, digest, identity_of, settings_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import RestoreJob
from jobs.versions import facejobs_version, versions
from pipeline import layout
from pipeline.errors import RecordError, RunConflictError
from pipeline.ledger import now
from pipeline.names import fold
from pipeline.plan import PlanSummary, cut_units
from pipeline.quarantine import records_of, standing
from pipeline.records import Record
from pipeline.run import Run, RunHeader, current_run, open_run, plan_retry, plan_run
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


def start(job: RestoreJob, on_listed: OnListed = lambda count: None) -> Started:
    """Find the job's run in its output, or plan it.

    Args:
        job: the job.
        on_listed: told now and then how many records have been listed.

    Raises:
        RunConflictError: the output holds another run's results, or files of no run at all.
        SourceError: the source cannot be read as the job says.
        StorageError: storage unreachable or refusing.
    """
    output = output_of(job)
    identity = identity_of(job)
    current = current_run(output)
    if current is not None and current.header.identity == identity:
        return Started(current, resumed=True)
    if current is not None and job.output.existing == "refuse":
        raise RunConflictError(_conflict(output, current, identity))
    if job.output.existing == "version" and (known := _find(output, identity)) is not None:
        return Started(known, resumed=True)
    output.check()
    if current is None and job.output.existing == "refuse":
        _refuse_foreign(output)
    prefix = f"versions/{_next_version(output)}" if current is not None and job.output.existing == "version" else ""
    return Started(_plan(job, output, identity, prefix, on_listed), resumed=False)


def retry(job: RestoreJob, run: Run, codes: frozenset[str] = frozenset()) -> int:
    """Plan a round with the records that are in quarantine now.

    Args:
        job: the run's job.
        run: a run whose units are all committed.
        codes: only records quarantined for these reasons; all when empty.

    Returns:
        how many records it has; 0 plans nothing.
    """
    keys = {key for key, row in standing(run).items() if not codes or row.code in codes}
    if not keys:
        return 0
    round_ = len(run.rounds())
    records = [_as_it_is_now(record) for record in records_of(run, keys)]
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
        versions=versions(),
    )


def _plan(job: RestoreJob, output: Folder, identity: dict[str, Any], prefix: str, on_listed: OnListed) -> Run:
    ignored = Ignored()
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
            created=now(),
            notes=tuple(
                f"{count} other objects were left out: {reason} (such as {ignored.examples[reason]})"
                for reason, count in sorted(ignored.counts.items())
            ),
        )

    units = cut_units(records, job.run.unit_records, job.run.unit_bytes)
    return plan_run(output, units, _namer(RestoreSettings.of(job)), header, digest(identity) + prefix)


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


def _conflict(output: Folder, current: Run, identity: dict[str, Any]) -> str:
    lines = differences(dict(current.header.identity), identity)
    return (
        f"{output.uri}: holds the results of run {current.header.run_id} of {current.header.created}, which differs "
        f"from this job in {len(lines)} point{'s' if len(lines) != 1 else ''}: {'; '.join(lines[:8])}. Name another "
        "output.uri, or say output.existing: replace (its outputs are overwritten) or version (both are kept)"
    )


def _refuse_foreign(output: Folder) -> None:
    """An output that no run has written to must be empty, so that nothing of somebody else's is overwritten."""
    for name, _ in output.walk():
        if not name.startswith(f"{layout.HOME}/"):
            raise RunConflictError(
                f"{output.uri}: is not empty (there is {name}) and no run of facejobs has written there. Name an empty "
                "folder, or say output.existing: replace if files of the same names may be overwritten"
            )


def _find(output: Folder, identity: dict[str, Any]) -> Run | None:
    for run_id in _run_ids(output):
        run = open_run(output, run_id)
        if run.header.identity == identity:
            return run
    return None


def _run_ids(output: Folder) -> list[str]:
    return output.children(f"{layout.HOME}/runs")


def _next_version(output: Folder) -> int:
    return len(_run_ids(output)) + 1
