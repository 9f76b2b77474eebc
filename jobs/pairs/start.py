"""The beginning of a pairs run: the one that is there is taken up again, or a new one is planned from the survey."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.beginning import Claim, Wanted, begin, known_run, refuse_others, take_up
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.identity import differences
from jobs.pairs.grouping import said
from jobs.pairs.identity import identity_of
from jobs.pairs.planning import again, output_name, units_of
from jobs.pairs.selection import Selection, select
from jobs.pairs.settings import PairsSettings
from jobs.pairs.survey.start import find_survey
from jobs.pairs.survey.table import Survey, read_survey
from jobs.pairs.workflow import PairsWorkflow
from jobs.places import output_of, source_of
from jobs.spec import PairsJob
from jobs.spec.split import kept_together
from jobs.versions import versions
from pipeline import layout
from pipeline.cutting import digest_of, unit_id
from pipeline.keyset import KeySet
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Record, Unit
from pipeline.run import Run, current_run, plan_retry
from pipeline.sinks import SinkSpec
from pipeline.worker import WorkerSpec

SUMMARY = "selection.json"
"""In the run's folder: what became of the candidates, in numbers."""
TABLE = "selection.parquet"
"""In the run's folder: one row a candidate."""


@dataclass(frozen=True)
class Chosen:
    """A survey and what was chosen from it."""

    survey: Survey
    selection: Selection


def known(job: PairsJob) -> Run | None:
    """The job's own run, if it was planned before and its outputs still stand.

    Raises:
        RunConflictError: there is none, and the output holds something that the job does not say what to do with.
    """
    output = output_of(job)
    current = current_run(output)
    found = known_run(output, current, identity_of(job), job.output.existing)
    if found is None:
        refuse_others(output, current, _wanted(job, None))
    return found


def choose(job: PairsJob, survey_run: Run) -> Chosen:
    """Select from a finished survey.

    Raises:
        CommandError: nothing is left to make pairs of, or the catalogue does not say what belongs together.
    """
    survey = read_survey(survey_run, people=kept_together(job.split, job.samples) == "identity")
    _check_column(job, survey)
    selection = select(job, survey)
    if not len(selection.kept):
        reasons = [f"{reason} ({count})" for reason, count in selection.summary(survey)["left_out"].items()]
        if survey.failed:
            reasons.append(f"could not be read ({survey.failed}, see {survey_run.folder.uri}/{layout.QUARANTINE})")
        raise CommandError(
            f"{job.source.uri}: {survey.images + survey.failed} images were looked at and none is left to make pairs "
            f"of: {', '.join(reasons)}{_nearly(survey)}; see `samples` and `filter` in the job file",
            Exit.BAD_JOB,
        )
    return Chosen(survey, selection)


def _nearly(survey: Survey) -> str:
    """By how much the best of those that are too small is."""
    small = survey.table.filter(pc.equal(survey.table["left_out"], "too_small"))
    least = pc.min(small["enlargement"]).as_py()
    return f" (the largest would have to be enlarged {least:.2f} times)" if least is not None else ""


def begin_run(job: PairsJob, chosen: Chosen, claim: Claim) -> Run:
    """Plan the job's run from a selection, or take it up if it was planned from the same.

    Raises:
        RunConflictError: as `jobs.beginning.begin`.
        StorageError: storage unreachable or refusing.
    """
    output, wanted = output_of(job), _wanted(job, chosen)
    current = current_run(output)
    found = known_run(output, current, wanted.identity, wanted.existing)
    if found is not None and digest_of(wanted.units()) == found.header.plan.digest:
        return take_up(found, current, claim)
    return begin(output, wanted, current, found, claim)


def note_selection(run: Run, chosen: Chosen) -> None:
    """Write into the run's folder what became of every candidate."""
    buffer = pa.BufferOutputStream()
    pq.write_table(chosen.selection.to_table(chosen.survey), buffer, compression="zstd")
    run.folder.write(TABLE, buffer.getvalue().to_pybytes())
    run.folder.write(SUMMARY, json.dumps(chosen.selection.summary(chosen.survey), indent=1).encode())


def noted_selection(run: Run) -> dict[str, Any] | None:
    """The numbers of a run's selection; None where they were not written yet."""
    try:
        found: dict[str, Any] = json.loads(run.folder.read(SUMMARY))
    except (FileNotFoundError, ValueError):
        return None
    return found


def find(job: PairsJob) -> Run | None:
    """The job's own run, else whichever run's results its output holds, else its survey."""
    output = output_of(job)
    current = current_run(output)
    own = known_run(output, current, identity_of(job), "version")
    return own or current or find_survey(job)


def changed(run: Run, job: PairsJob) -> list[str]:
    """In what a run differs from a job, one line a key."""
    return differences(dict(run.header.identity), identity_of(job))


def plan_again(run: Run, codes: frozenset[str]) -> int:
    """Plan a round with the pairs that are in quarantine now.

    Args:
        run: a run whose units are all committed.
        codes: only pairs quarantined for these reasons; all when empty.

    Returns:
        how many there are; 0 plans nothing.
    """
    keys = KeySet(row.key for row in standing(run) if retriable(row) and (not codes or row.code in codes))
    if not keys:
        return 0
    round_ = len(run.rounds())
    records = (again(record, round_) for record in records_of(run, keys))
    return plan_retry(run, _shards_again(records, round_), output_name).records


def worker_spec(job: PairsJob, run: Run) -> WorkerSpec:
    """What workers need to make the run's pairs."""
    settings = PairsSettings.of(job)
    return WorkerSpec(
        run=run.folder,
        source=source_of(job),
        sink=SinkSpec("mirror", run.outputs, settings.format.container()),
        workflow=PairsWorkflow(settings, job.run.samples, run.header.plan.records),
        threads=job.run.threads,
        versions=versions,
    )


def _check_column(job: PairsJob, survey: Survey) -> None:
    """A column that no record has keeps nothing together, and the split would leak all the same."""
    column, metadata = job.split.column, survey.table["metadata"].to_pylist()
    if kept_together(job.split, job.samples) != "column" or column is None or not metadata:
        return
    if any(said(text, column) is not None for text in metadata):
        return
    there = sorted({name for text in metadata if text for name in json.loads(text)})
    raise CommandError(
        f"{job.source.uri}: no record has anything in the column {column!r}, by which samples are kept together; "
        f"found {', '.join(there[:20]) or 'no column but those of the pictures'}; correct split.column",
        Exit.BAD_JOB,
    )


def _shards_again(records: Iterable[Record], round_: int) -> Iterator[Unit]:
    """Units of a retry: pairs of one shard of the first round stay together."""
    for index, (_, held) in enumerate(groupby(records, lambda record: record.metadata["shard"])):
        together = tuple(held)
        yield Unit(unit_id(together, f"retry {round_}"), index, together)


def _wanted(job: PairsJob, chosen: Chosen | None) -> Wanted:
    def units() -> Iterator[Unit]:
        assert chosen is not None
        return units_of(chosen.selection, chosen.survey, job.output.shard_pairs)

    return Wanted(
        name=job.name,
        kind=job.job,
        identity=identity_of(job),
        existing=job.output.existing,
        units=units,
        output_name=output_name,
        notes=lambda: chosen.selection.warnings if chosen is not None else (),
    )
