"""The survey of a pairs job: found again, or planned, in a ledger of its own below the output's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobs.beginning import Claim, Wanted, begin, counted, known_run, left_out, take_up
from jobs.identity import digest
from jobs.pairs.identity import survey_identity
from jobs.pairs.survey.settings import SurveySettings
from jobs.pairs.survey.workflow import SurveyWorkflow
from jobs.places import output_of, source_of
from jobs.spec import PairsJob
from jobs.versions import versions
from pipeline import layout
from pipeline.cutting import cut_units, digest_of
from pipeline.keyset import KeySet
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Record, Unit
from pipeline.run import Run, current_run, plan_retry
from pipeline.sinks import SinkSpec
from pipeline.sources import Ignored, list_records
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec

SURVEYS = f"{layout.HOME}/surveys"
KIND = "survey"


def survey_folder(job: PairsJob) -> Folder:
    """Where a job's survey has its ledger; jobs that look for the same in the same source share it."""
    return output_of(job).child(f"{SURVEYS}/{digest(survey_identity(job))[:16]}")


def find_survey(job: PairsJob) -> Run | None:
    """The job's survey as it was begun; None before that."""
    return current_run(survey_folder(job))


def start_survey(job: PairsJob, on_listed: Callable[[int], None], claim: Claim, *, replan: bool) -> Run:
    """Take the survey up again, or plan it.

    Args:
        job: the job.
        on_listed: told now and then how many records have been listed.
        claim: see `jobs.beginning`.
        replan: list the source again, and survey it anew if it holds others than when the survey was planned.

    Raises:
        SourceError: the source cannot be read as the job says.
        StorageError: storage unreachable or refusing.
    """
    folder, wanted = survey_folder(job), _wanted(job, on_listed)
    current = current_run(folder)
    known = known_run(folder, current, wanted.identity, wanted.existing)
    if known is not None and not (replan and digest_of(wanted.units()) != known.header.plan.digest):
        return take_up(known, current, claim)
    return begin(folder, wanted, current, known, claim)


def look_again(job: PairsJob, run: Run) -> int:
    """Plan a round with the images that could not be surveyed, whatever the reason was: it may be gone.

    Args:
        job: the survey's job.
        run: a survey whose units are all committed.

    Returns:
        how many there are; 0 plans nothing.
    """
    keys = KeySet(row.key for row in standing(run) if retriable(row))
    if not keys:
        return 0
    salt = f"retry {len(run.rounds())}"
    units = cut_units(records_of(run, keys), job.run.unit_records, job.run.unit_bytes, salt=salt)
    return plan_retry(run, units, _name).records


def survey_worker_spec(job: PairsJob, run: Run) -> WorkerSpec:
    """What workers need to survey."""
    return WorkerSpec(
        run=run.folder,
        source=source_of(job),
        sink=SinkSpec("mirror", run.outputs),
        workflow=SurveyWorkflow(SurveySettings.of(job)),
        threads=job.run.threads,
        versions=versions,
    )


def _wanted(job: PairsJob, on_listed: Callable[[int], None]) -> Wanted:
    ignored = Ignored()

    def units() -> Iterator[Unit]:
        ignored.counts.clear()
        ignored.examples.clear()
        records = counted(list_records(source_of(job), ignored), on_listed)
        return cut_units(records, job.run.unit_records, job.run.unit_bytes)

    return Wanted(
        name=job.name,
        kind=KIND,
        identity=survey_identity(job),
        existing="replace",
        units=units,
        output_name=_name,
        notes=lambda: left_out(ignored),
    )


def _name(record: Record) -> str:
    """A survey writes nothing by a record's name, but two records of one key could not be told apart later.

    Nor does a pair have its source's name, so keys may differ by upper and lower case alone.
    """
    return f"{record.uri}#{record.offset}#{record.row}" if record.problem else record.key
