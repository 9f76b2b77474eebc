"""The beginning of a restore run: the one that is there is taken up again, or a new one is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from jobs.beginning import Wanted, begin, counted, known_run, left_out, refuse_collection, take_up
from jobs.errors import CommandError
from jobs.identity import differences, digest
from jobs.models.pull import UNSEEN, Watch
from jobs.places import output_of, source_of
from jobs.restore.identity import identity_of, settings_of
from jobs.restore.needs import needs_of
from jobs.restore.settings import RestoreSettings, check_masks
from jobs.restore.weights import NO_WEIGHTS, Weights, choices, weights_of
from jobs.restore.without_models import done_without_models
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import RestoreJob
from jobs.versions import facejobs_version, versions
from operators.models import ModelFileError
from pipeline.cutting import cut_units, digest_of
from pipeline.errors import RecordError
from pipeline.keyset import KeySet
from pipeline.names import fold
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Record, Unit
from pipeline.run import Run, current_run, plan_retry
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
        weights: models that it runs on.
    """

    run: Run
    resumed: bool
    weights: Weights


def start(
    job: RestoreJob,
    on_listed: OnListed = lambda count: None,
    *,
    replan: bool = False,
    watch: Watch = UNSEEN,
    claim: Callable[[Folder], Folder] = lambda output: output,
) -> Started:
    """Find the job's run in its output, or plan it.

    Args:
        job: the job.
        on_listed: told now and then how many records have been listed.
        replan: list the source again, and plan a new run if it holds others than when the job's run was planned.
        watch: who is told when a model is fetched.
        claim: gives the output as it is to be written to, before anything is; see `pipeline.writer_lock`.

    Raises:
        RunConflictError: the output holds another run's results, or files of no run at all, or another driver's lock.
        ModelFileError: a model that the job names is not there.
        SourceError: the source cannot be read as the job says.
        StorageError: storage unreachable or refusing.
    """
    output = output_of(job)
    if not replan and (done := done_without_models(job, output)) is not None:
        return Started(done, resumed=True, weights=NO_WEIGHTS)
    weights = weights_of(job, watch=watch)
    current = current_run(output)
    refuse_collection(output, current, job.output.existing)
    known, weights = _taken_up(job, output, current, weights)
    wanted = _wanted(job, weights, on_listed)
    if known is not None and not (replan and digest_of(wanted.units()) != known.header.plan.digest):
        return Started(take_up(known, current, claim), resumed=True, weights=weights)
    return Started(begin(output, wanted, current, known, claim), resumed=False, weights=weights)


def find(job: RestoreJob) -> Run | None:
    """The job's own run, if its output holds results of it; else whichever run's results the output holds.

    Which run is the job's own cannot be told where a model that it names is not there; then it is the latter.

    Raises:
        StorageError: storage unreachable or refusing.
        LedgerError: what a run has written about itself is damaged.
    """
    output = output_of(job)
    current = current_run(output)
    if current is None:
        return None
    try:
        weights = weights_of(job, fetch=False)
    except (ModelFileError, CommandError):
        return current
    own = (known_run(output, current, identity_of(job, each), "version") for each in choices(job, weights))
    return next((run for run in own if run is not None), current)


def is_of(run: Run, job: RestoreJob, *, fetch: bool = False) -> tuple[list[str], Weights]:
    """Compare a run with a job.

    Args:
        run: the run.
        job: the job.
        fetch: whether models that are not in the cache may be fetched.

    Returns:
        What differs, one line a key, nothing when the run is the job's own; and the models with which it is.

    Raises:
        ModelFileError: a model that the job names is not there.
    """
    weights = weights_of(job, fetch=fetch)
    each = [(differences(dict(run.header.identity), identity_of(job, one)), one) for one in choices(job, weights)]
    return min(each, key=lambda pair: len(pair[0]))


def retry(job: RestoreJob, weights: Weights, run: Run, codes: frozenset[str] = frozenset()) -> int:
    """Plan a round with the records that are in quarantine now, but for those that the plan found wrong for good.

    Args:
        job: the run's job.
        weights: the models that the run is made with.
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
    return plan_retry(run, units, namer(RestoreSettings.of(job, weights))).records


def worker_spec(job: RestoreJob, weights: Weights, run: Run) -> WorkerSpec:
    """What workers need to process the run's units."""
    workflow = RestoreWorkflow(
        settings=RestoreSettings.of(job, weights),
        version=facejobs_version(),
        settings_sha256=digest(settings_of(dict(run.header.identity))),
        samples=job.run.samples,
        records=run.header.plan.records,
        needs=needs_of(job, weights),
    )
    return WorkerSpec(
        run=run.folder,
        source=source_of(job),
        sink=SinkSpec(job.output.layout, run.outputs),
        workflow=workflow,
        threads=job.run.threads,
        versions=versions,
        closable=run.header.night > 0,
    )


def _wanted(job: RestoreJob, weights: Weights, on_listed: OnListed) -> Wanted:
    check_masks(job)
    ignored = Ignored()

    def units() -> Iterator[Unit]:
        ignored.counts.clear()
        ignored.examples.clear()
        records = counted(list_records(source_of(job), ignored), on_listed)
        return cut_units(records, job.run.unit_records, job.run.unit_bytes)

    return Wanted(
        name=job.name,
        kind=job.job,
        identity=identity_of(job, weights),
        existing=job.output.existing,
        units=units,
        output_name=namer(RestoreSettings.of(job, weights)),
        notes=lambda: left_out(ignored),
    )


def namer(settings: RestoreSettings) -> Callable[[Record], str]:
    """What gives the name under which a record's output would collide with another's."""

    def name(record: Record) -> str:
        if record.problem:
            return f"{record.uri}#{record.offset}#{record.row}"  # has no output, so it collides with nothing
        try:
            return fold(settings.name(record))
        except RecordError:
            return f"{record.uri}#{record.offset}#{record.row}"

    return name


def _as_it_is_now(record: Record) -> Record:
    """A loose object is taken in whatever version it has by now: it may have been mended. A shard's offsets bind it."""
    return record if record.offset >= 0 or record.row >= 0 else replace(record, version="", size=-1)


def _taken_up(job: RestoreJob, output: Folder, current: Run | None, weights: Weights) -> tuple[Run | None, Weights]:
    """The job's run if it was planned before, and the models it was planned with; those it would have now if not."""
    for each in choices(job, weights):
        known = known_run(output, current, identity_of(job, each), job.output.existing)
        if known is not None:
            return known, each
    return None, weights
