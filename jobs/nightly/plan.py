"""The plan of a night: the source is listed once, and a run is planned over what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow.parquet as pq

from jobs.beginning import left_out
from jobs.identity import digest
from jobs.nightly.account import Account, keep_account
from jobs.nightly.chosen import CHOSEN, WORK
from jobs.nightly.content import look_again, look_inside
from jobs.nightly.database import Database
from jobs.nightly.due import (
    KEPT_WITHOUT_SOURCE,
    Asked,
    bury,
    chosen_rows,
    counts,
    find_due,
    limit,
    load_listing,
    load_runs,
    records_of,
)
from jobs.nightly.former import former_of
from jobs.nightly.outdated import Gap, gap
from jobs.nightly.state import Makers
from jobs.places import source_of
from jobs.restore.identity import identity_of
from jobs.restore.settings import RestoreSettings, check_masks
from jobs.restore.start import namer
from jobs.restore.weights import Weights
from jobs.spec import RestoreJob
from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.errors import RunConflictError
from pipeline.ledger import now
from pipeline.plan import PlanSummary
from pipeline.records import Record
from pipeline.run import Run, RunHeader, make_current, make_first, plan_run
from pipeline.sources import Ignored, list_records
from pipeline.storage import Folder

DETECTORS = frozenset({"yunet"})
"""Models that look at every image."""
SHOWN = 8


@dataclass(frozen=True)
class Found:
    """What a listing found to be due.

    Attributes:
        account: in numbers.
        notes: what there is to say of it.
    """

    account: Account
    notes: tuple[str, ...]


def find_tonight(
    db: Database,
    job: RestoreJob,
    weights: Weights,
    makers: Makers,
    asked: Asked,
    most: int | None,
    on_listed: Callable[[int], None],
) -> Found:
    """List the source and find what is due; the table `tonight` has what is to be done.

    Args:
        db: with the table `state`.
        job: the job, with a selection.
        weights: the models that it runs on.
        makers: who made what stands.
        asked: what the night is asked to do.
        most: records that may be begun; None for no bound.
        on_listed: told now and then how many records have been listed.

    Raises:
        SourceError: the source cannot be read as the job says.
        StorageError: storage does not answer.
    """
    check_masks(job)
    ignored = Ignored()
    name = namer(RestoreSettings.of(job, weights))
    listed = load_listing(db, _named(list_records(source_of(job), ignored), name, on_listed))
    identity = identity_of(job, weights)
    gaps = {run_id: gap(makers.of(run_id), identity, DETECTORS) for run_id in makers.runs}
    models = {run_id: str(makers.of(run_id)["restorer"]["name"]) for run_id in makers.runs}
    load_runs(db, gaps, models, asked.selection.outdated)
    find_due(db, asked)
    if asked.selection.changed == "content":
        look_inside(db, source_of(job), most)
    look_again(db, source_of(job))
    warnings = _deleted(db, asked)
    found = counts(db)
    carried = limit(db, None if asked.again else most)
    planned = db.count("select count(*) from tonight")
    account = Account(
        number=0,
        listed=listed,
        due={cause: found.get(cause, 0) for cause in WORK},
        planned=planned,
        carried_over=carried,
        unchanged=found.get("unchanged", 0),
        given_up=found.get("given_up", 0),
        passed_over=found.get("passed_over", 0),
        deleted=found.get("deleted", 0),
        tombstoned=found.get("tombstoned", 0),
        returned=found.get("returned", 0),
        touched=found.get("touched", 0),
        differs=_differs(db),
        why_ended="records" if carried else "",
        warnings=tuple(warnings),
    )
    return Found(account, (*left_out(ignored), *_gaps_said(db, gaps, asked), *warnings))


def plan_night(
    db: Database,
    job: RestoreJob,
    weights: Weights,
    output: Folder,
    former: Run | None,
    found: Found,
    check: Callable[[], None],
) -> tuple[Run, Account]:
    """Plan the run of a night, and make it the output's current one.

    Args:
        db: after `find_tonight`.
        job: the job.
        weights: the models that it runs on.
        output: claimed, see `jobs.beginning.Claim`.
        former: the collection's last run; None for the first night.
        found: what is due.
        check: raises RunConflictError where the collection's lock is lost.

    Returns:
        the run, and the account with its number and id.

    Raises:
        RunConflictError: another job was started in the output meanwhile.
    """
    identity = identity_of(job, weights)
    number = former.header.night + 1 if former is not None else 1
    follows = former.header.run_id if former is not None else ""
    accounts: list[Account] = []

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        account = replace(found.account, number=number, run_id=run_id, started=now())
        accounts.append(account)
        return RunHeader(
            run_id=run_id,
            name=job.name,
            kind=job.job,
            identity=identity,
            job=identity["job"],
            plan=plan,
            created=account.started,
            notes=found.notes,
            night=number,
            follows=follows,
        )

    def attach(folder: Folder) -> None:
        check()
        spool = db.folder / "chosen.parquet"
        with pq.ParquetWriter(spool, CHOSEN, compression="zstd") as writer:
            for table in chosen_rows(db):
                writer.write_table(table.cast(CHOSEN))
        folder.upload(layout.SELECTION, spool)
        spool.unlink()
        keep_account(folder, accounts[0])

    units = cut_units(records_of(db), job.run.unit_records, job.run.unit_bytes, salt=f"night {number} {follows}")
    salt = f"{digest(identity)} night {number} {follows}"
    run = plan_run(output, units, namer(RestoreSettings.of(job, weights)), header, salt, attach)
    check()
    if former is None:
        make_first(run)
    elif (now_former := former_of(job, output)) is None or now_former.header.run_id not in (follows, run.header.run_id):
        raise RunConflictError(f"{output.uri}: another night was planned there meanwhile; this one did nothing")
    else:
        make_current(run)
    return run, accounts[0]


def _named(
    records: Iterator[Record], name: Callable[[Record], str], on_listed: Callable[[int], None]
) -> Iterator[tuple[Record, str]]:
    for count, record in enumerate(records, 1):
        yield record, name(record)
        if count % 1000 == 0:
            on_listed(count)


def _deleted(db: Database, asked: Asked) -> list[str]:
    """Have derivatives taken away whose source is gone, if the job says so and it is not too many at once."""
    policy = asked.selection.deleted
    gone = db.count("select count(*) from candidates where cause = 'deleted'")
    buried = policy.action == "tombstone"
    if buried:  # what an earlier night has kept would go with them
        gone += db.count(f"select count(*) from candidates where {KEPT_WITHOUT_SOURCE}")  # noqa: S608
    standing = db.count("select count(*) from state where status in ('current', 'quarantined') or output is not null")
    if gone > policy.most * standing:
        return [
            f"WARNING: the sources of {gone} of {standing} records are gone, more than selection.deleted.most "
            f"({policy.most:g} of the collection): is all of the source there? Their derivatives stay"
        ]
    if buried:
        bury(db)
    return []


def _differs(db: Database) -> int:
    """Derivatives of other models or settings that the selection leaves as they are."""
    return db.count(
        "select count(*) from candidates join runs using (run_id) "
        "where runs.differs and cause is null and position is not null and status = 'current'"
    )


def _gaps_said(db: Database, gaps: dict[str, Gap], asked: Asked) -> Iterator[str]:
    left = _differs(db)
    if not left:
        return
    lines = sorted({line for each in gaps.values() for line in each.lines})
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    yield (
        f"{left} derivatives were made otherwise and stay (selection.outdated: {asked.selection.outdated}). "
        f"Differences: {'; '.join(lines[:SHOWN])}{more}"
    )
