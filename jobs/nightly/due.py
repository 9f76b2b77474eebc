"""What is due in a night: the listing of the source against the state of the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.nightly.chosen import WORK
from jobs.nightly.columns import AS_TRIED, NAMES, UNSURE
from jobs.nightly.condition import said
from jobs.nightly.database import Database
from jobs.nightly.outdated import POLICIES, Gap
from jobs.spec.selection import Selection
from pipeline.plan import RECORD_SCHEMA, record_of, row_of
from pipeline.records import Record

LISTED = RECORD_SCHEMA.append(pa.field("position", pa.int64())).append(pa.field("folded", pa.string()))
ROWS = 4096
KEPT_WITHOUT_SOURCE = "position is null and status = 'deleted' and output is not null"
DUPLICATE = (
    "duplicate_name: the derivative of another record has the same output name (upper and lower case count as the "
    "same); rename one of the two, or put {key} into `output.name`. Where the other's source is gone, its derivative "
    "gives the name free with `selection.deleted.action: tombstone`"
)


@dataclass(frozen=True)
class Asked:
    """What a night is asked to do.

    Attributes:
        selection: of the job.
        where: a further condition, from the command line; empty for none.
        since: leave alone what was last tried before (ISO 8601, UTC); empty for no bound. New records always count.
        again: whether all records that meet `where` are due, whatever the collection has of them.
    """

    selection: Selection
    where: str = ""
    since: str = ""
    again: bool = False


def load_listing(db: Database, records: Iterable[tuple[Record, str]]) -> int:
    """Make the table `listed` of the source's records, each with the folded name that its output would have.

    Returns:
        how many.
    """
    db.load("listed", LISTED, _batches(records))
    return db.count("select count(*) from listed")


def load_runs(db: Database, gaps: dict[str, Gap], models: dict[str, str], policy: str) -> None:
    """Make the table `runs`: for each whose derivatives stand, the model, and whether they are outdated."""
    counted = POLICIES[policy]
    rows = [
        {
            "run_id": run_id,
            "model": models[run_id],
            "outdated": bool(gap.causes & counted),
            "differs": bool(gap.causes),
            "faces_only": gap.faces_only,
        }
        for run_id, gap in gaps.items()
    ]
    schema = pa.schema(
        [
            ("run_id", pa.string()),
            ("model", pa.string()),
            ("outdated", pa.bool_()),
            ("differs", pa.bool_()),
            ("faces_only", pa.bool_()),
        ]
    )
    db.load("runs", schema, [pa.Table.from_pylist(rows, schema)])


def find_due(db: Database, asked: Asked) -> None:
    """Make the table `candidates`: each listed record or row of the state with why it is due, or that it is not.

    Causes are those of `jobs.nightly.chosen`, with `looks_changed` for what only reading can tell, `given_up` for what
    is in quarantine and not tried again, `passed_over` for what a condition leaves out, and null for what needs
    nothing. `position` is null for what the source does not have any more.

    Args:
        db: with the tables `listed`, `state` and `runs`.
        asked: what is asked.
    """
    wanted = asked.selection
    db.sql.execute(_JOINED)
    db.sql.execute(
        _CANDIDATES.format(
            new="true" if wanted.new else "false",
            changed={"version": "'changed'", "content": "'looks_changed'", "never": "null"}[wanted.changed],
            tries=wanted.failed.tries,
            codes=f"code in ({', '.join(map(_quoted, wanted.failed.codes))})" if wanted.failed.codes else "true",
            poor=_poor(wanted),
        )
    )
    if asked.since:
        db.sql.execute(
            "update candidates set cause = 'passed_over' where cause in ('changed', 'looks_changed', 'failed', "
            "'outdated') and coalesce(last, '') < ?",
            [asked.since],
        )
    for condition in (wanted.where, asked.where):
        if condition:
            _keep_where(db, condition)
    if asked.again:
        db.sql.execute(
            "update candidates set cause = 'asked' where position is not null and key in (select key from meets)"
        )


def settle_contents(db: Database, looked: Iterable[str], same: Iterable[str]) -> None:
    """Decide of what only looked changed and was read since: some have the bytes that they had, others are changed."""
    schema = pa.schema([("key", pa.string())])
    db.load("same", schema, [pa.Table.from_pylist([{"key": key} for key in same], schema)])
    db.load("read", schema, [pa.Table.from_pylist([{"key": key} for key in looked], schema)])
    db.sql.execute(
        "update candidates set cause = case when key in (select key from same) then 'touched' else 'changed' end "
        "where cause = 'looks_changed' and key in (select key from read)"
    )


def bury(db: Database) -> None:
    """Have derivatives whose source is gone taken away: those found now, and those that were kept before."""
    db.sql.execute(
        f"update candidates set cause = 'tombstoned' where cause = 'deleted' or ({KEPT_WITHOUT_SOURCE})"  # noqa: S608
    )


def counts(db: Database) -> dict[str, int]:
    """How many records there are of each cause; those that need nothing under `unchanged`."""
    found = db.sql.execute(
        "select coalesce(cause, case when position is null then 'absent' else 'unchanged' end), count(*) "
        "from candidates group by 1"
    ).fetchall()
    return {str(cause): int(count) for cause, count in found}


def limit(db: Database, most: int | None) -> int:
    """Make the table `tonight` of what is to be done, in the order of causes and then of the listing.

    Args:
        db: after `find_due`.
        most: records; None for all.

    Returns:
        how many are carried over.
    """
    causes = ", ".join(map(_quoted, WORK))
    rank = "case cause " + " ".join(f"when {_quoted(cause)} then {place}" for place, cause in enumerate(WORK)) + " end"
    db.sql.execute(
        f"create or replace table tonight as select *, {rank} as rank from candidates "  # noqa: S608
        f"where cause in ({causes}) order by rank, position {'' if most is None else f'limit {int(most)}'}"
    )
    due = db.count(f"select count(*) from candidates where cause in ({causes}, 'looks_changed')")  # noqa: S608
    return due - db.count("select count(*) from tonight")


def records_of(db: Database) -> Iterator[Record]:
    """Tonight's records, and those that share a key with one of them, which the plan refuses."""
    columns = ", ".join(f"listed.{name}" for name in RECORD_SCHEMA.names if name != "problem")
    query = f"""
        select {columns}, case when listed.problem <> '' then listed.problem when tonight.taken then ? else '' end
            as problem
        from listed join tonight using (key)
        order by tonight.rank, tonight.position, listed.position
    """  # noqa: S608
    db.sql.execute(f"create or replace table planned_tonight as {query}", [DUPLICATE])
    yield from map(record_of, db.rows("select * from planned_tonight", ROWS))


def chosen_rows(db: Database) -> Iterator[pa.Table]:
    """Rows of `jobs.nightly.chosen` for tonight's work and for what is gone, back or touched."""
    query = """
        select key, cause, version, size, former_version, run_id as former_run from tonight
        union all
        select key, cause, version, size, former_version, run_id from candidates
        where cause in ('deleted', 'tombstoned', 'returned', 'touched')
    """
    yield from (pa.Table.from_batches([batch]) for batch in db.sql.sql(query).to_arrow_reader(ROWS))


def _batches(records: Iterable[tuple[Record, str]]) -> Iterator[pa.Table]:
    held: list[dict[str, object]] = []
    for position, (record, folded) in enumerate(records):
        held.append({**row_of(record), "position": position, "folded": folded})
        if len(held) == ROWS:
            yield pa.Table.from_pylist(held, LISTED)
            held = []
    yield pa.Table.from_pylist(held, LISTED)


def _poor(wanted: Selection) -> str:
    """The condition that a derivative scored badly; true where the job names no measure."""
    tests = [f"{name} < {float(value)!r}" for name, value in wanted.below.items()]
    tests += [f"{name} > {float(value)!r}" for name, value in wanted.above.items()]
    return f"coalesce({' or '.join(tests)}, false)" if tests else "true"


def _keep_where(db: Database, condition: str) -> None:
    """Pass over work that does not meet a condition."""
    names = ", ".join(f"candidates.{name}" for name in NAMES)
    # `jobs.nightly.condition` has refused what reaches for anything but these columns.
    try:
        db.sql.execute(
            f"create or replace table meets as select key from (select {names}, candidates.cause, runs.model "  # noqa: S608
            f"from candidates left join runs using (run_id)) as catalogue where (\n{condition}\n)"
        )
    except duckdb.Error as error:
        raise CommandError(f"where {condition}: {said(error)}", Exit.USAGE) from None
    causes = ", ".join(map(_quoted, (*WORK, "looks_changed")))
    db.sql.execute(
        f"update candidates set cause = 'passed_over' where cause in ({causes}) and key not in (select key from meets)"  # noqa: S608
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# One row a key: the first record of the listing with it that can be read, beside what the state says.
_JOINED = f"""
    create or replace table joined as
    with first as (
        select * from listed
        qualify row_number() over (partition by key order by (problem <> '')::int, position) = 1
    )
    select coalesce(first.key, state.key) as key, first.position, first.problem,
        first.version, first.size, coalesce(first.uri, state.uri) as uri,
        nullif(coalesce(first.metadata, state.metadata), '') as metadata, first.folded as name_wanted,
        state.key is not null as known, state.version as former_version, state.size as former_size,
        state.uri as former_uri,
        {", ".join(f"state.{name}" for name in NAMES if name not in ("key", "version", "size", "uri", "metadata"))}
    from first full join state on first.key = state.key
"""  # noqa: S608

# A catalogue of URIs gives no versions: then the URI itself tells two sources apart.
_SAME = (
    "version = former_version and (version <> '' or uri = former_uri) "
    "and (size = former_size or size < 0 or former_size < 0)"
)

# What stands has a name, and so has what a record that is current will be called from tonight on.
_CANDIDATES = f"""
    create or replace table candidates as
    with named as (
        select folded, key from state where folded is not null
        union
        select name_wanted, key from joined where known and status = 'current' and position is not null
    ),
    owned as (select folded, min(key) as owner, count(*) as owners from named group by folded),
    broken as (select distinct uri from listed where problem like 'broken_shard%'),
    told as (
        select joined.*, owned.owner is not null and (owned.owner <> joined.key or owned.owners > 1) as taken,
            runs.outdated, runs.faces_only, tried.differs as tried_otherwise,
            former_uri in (select uri from broken) as unseen
        from joined left join owned on owned.folded = joined.name_wanted left join runs on runs.run_id = joined.run_id
        left join runs tried on tried.run_id = joined.last_run
    )
    select told.*, case
        when position is null then case when status in ('deleted', 'tombstoned') or unseen then null else 'deleted' end
        when not known or status = 'tombstoned' or (status = 'deleted' and output is null)
            then case when {{new}} then 'new' end
        when former_version = '{UNSURE}' then 'changed'
        when former_version = '{AS_TRIED}' and status = 'current'
            then case when size < 0 or size = former_size then 'touched' else 'changed' end
        when not ({_SAME}) and status = 'quarantined' then 'failed'
        when not ({_SAME}) and status = 'deleted' and {{changed}} is null and code is null then 'returned'
        when not ({_SAME}) then case when sha256 is null and {{changed}} is not null then 'changed' else {{changed}} end
        when status = 'deleted' then case when code is null then 'returned' else 'changed' end
        when status = 'quarantined' then case
            when stage = 'plan' then case when problem <> '' or taken then 'given_up' else 'failed' end
            when not ({{codes}}) or (tries >= {{tries}} and not coalesce(tried_otherwise, false)) then 'given_up'
            else 'failed' end
        when {{changed}} = 'looks_changed' and version = '' and sha256 is not null then 'looks_changed'
        when outdated and (not faces_only or faces > 0) and {{poor}} then 'outdated'
        end as cause
    from told
"""  # noqa: S608
