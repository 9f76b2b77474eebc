"""What one run makes of a collection's state: read from its plan, its commits and its tables alone."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.nightly.chosen import CHOSEN, read_chosen
from jobs.nightly.columns import AS_TRIED, DERIVATIVE, MEASURES, NAMES, UNSURE
from jobs.nightly.database import Database
from jobs.restore.tables import FACES, IMAGES
from pipeline import layout
from pipeline.fetching import fetched
from pipeline.names import fold as folded
from pipeline.parts import read_parts
from pipeline.plan import RECORD_SCHEMA, PlanReader
from pipeline.quarantine import standing_commits
from pipeline.records import Output
from pipeline.run import Run

_KEYS = pa.schema([("key", pa.string())])
_QUARANTINE = pa.schema([("key", pa.string()), ("code", pa.string()), ("stage", pa.string())])
_IMAGES = IMAGES.append(pa.field("folded", pa.string()))
ROWS = 4096


def fold(db: Database, run: Run) -> None:
    """Bring the table `state` forward by a run, complete or not; of one that is not, what is committed counts.

    Afterwards the table `before` is the state before the run, `stale` holds the paths of derivatives that stood under
    another name then, `gone` what the planning found of each key, and `cut_off` the keys of units
    that were begun and have no commit.

    Args:
        db: with the table `state` as it was before the run.
        run: the run.

    Raises:
        LedgerError: what the run has written about itself is damaged.
    """
    _load(db, run)
    when = _when(run)
    db.sql.execute("create or replace table before as select * from state")
    _note_chosen(db)
    _replace(db, _CURRENT, [run.header.run_id, when, run.header.run_id, when])
    _replace(db, _STUCK, [run.header.run_id, when])
    db.sql.execute(_STALE)
    db.sql.execute(_UNSURE)
    db.sql.execute("create or replace table gone as select key, cause from chosen")
    for table in ("planned", "images", "worst", "stuck", "chosen", "retried"):
        db.sql.execute(f"drop table {table}")


def _load(db: Database, run: Run) -> None:
    listed: list[Output] = []
    stuck: list[dict[str, str]] = []
    for commit, rows in standing_commits(run):
        stuck.extend({"key": row.key, "code": row.code, "stage": row.stage} for row in rows)
        listed.extend(commit.tables)
    db.load("stuck", _QUARANTINE, [pa.Table.from_pylist(stuck, _QUARANTINE)])
    db.load("planned", RECORD_SCHEMA, _planned(run))
    db.load("retried", _KEYS, _retried(run))
    db.load("cut_off", _KEYS, [pa.table({"key": _cut_off(run)}, _KEYS)])
    for name, schema in (("images", IMAGES), ("faces", FACES)):
        mine = [part for part in listed if layout.table_of(part.path) == name]
        tables = _whole(db, run, name) if run.complete else read_parts(run.folder, mine)
        if name == "images":
            db.load("images", _IMAGES, (_with_folded(table.select(IMAGES.names)) for table in tables))
        else:
            db.load("faces", schema, (table.select(schema.names) for table in tables))
    worst = ", ".join(f"{how} as {name}" for name, how in MEASURES.items())
    db.sql.execute(
        f"create or replace table worst as select key, {worst} from faces "  # noqa: S608
        "where status in ('restored', 'flagged') group by key"
    )
    db.sql.execute("drop table faces")
    db.load("chosen", CHOSEN, read_chosen(run))


def _planned(run: Run) -> Iterator[pa.Table]:
    """Records of the plan itself, retries being of the same ones."""
    names = sorted({layout.plan_part(ref.plan, ref.part) for ref in run.refs() if ref.round == 0})
    for data in fetched(run.folder.read, names):
        file = pq.ParquetFile(pa.BufferReader(data))
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def _retried(run: Run) -> Iterator[pa.Table]:
    """Keys of records that a retry took in whatever version they had by then."""
    reader = PlanReader(run.folder)
    for ref in run.refs():
        if ref.round:
            records = reader.unit(ref).records
            yield pa.table({"key": [record.key for record in records if not record.version]}, _KEYS)


def _cut_off(run: Run) -> list[str]:
    """Keys of units that were begun and have no commit: an attempt may have put outputs of theirs."""
    if run.complete:
        return []
    committed = run.ledger.committed()
    begun = {layout.attempted(name) for name, _ in run.folder.walk(layout.ATTEMPTS)}
    reader = PlanReader(run.folder)
    return [
        key
        for ref in run.refs()
        if ref.unit_id in begun and ref.unit_id not in committed and run.ledger.find(ref.unit_id) is None
        for key in reader.keys(ref)
    ]


def _whole(db: Database, run: Run, name: str) -> Iterator[pa.Table]:
    """A table of a finished run; one in which no unit had rows was never written."""
    spool = db.folder / f"whole-{name}.parquet"
    try:
        spool.write_bytes(run.folder.read(layout.table(name)))
    except FileNotFoundError:
        return
    with pq.ParquetFile(spool) as file:
        for batch in file.iter_batches(ROWS):
            yield pa.Table.from_batches([batch])
    spool.unlink()


def _with_folded(table: pa.Table) -> pa.Table:
    names = [folded(name) for name in table["output"].to_pylist()]
    return table.append_column("folded", pa.array(names, pa.string()))


def _when(run: Run) -> str:
    manifest = run.manifest()
    return str(manifest["finished"]) if manifest is not None else run.header.created


def _note_chosen(db: Database) -> None:
    """What the planning itself decided: sources that are gone, back, or the same in other clothes."""
    db.sql.execute("""
        update state set status = case when chosen.cause = 'tombstoned' then 'tombstoned' else 'deleted' end
        from chosen where chosen.key = state.key and chosen.cause in ('deleted', 'tombstoned')
    """)
    gone = ", ".join(f"{name} = null" for name in DERIVATIVE)
    db.sql.execute(f"update state set {gone} where status = 'tombstoned'")  # noqa: S608
    db.sql.execute("""
        update state set status = 'current' from chosen
        where chosen.key = state.key and chosen.cause = 'returned'
    """)
    db.sql.execute("""
        update state set status = 'current', version = chosen.version, size = chosen.size from chosen
        where chosen.key = state.key and chosen.cause = 'touched'
    """)


def _replace(db: Database, query: str, values: list[str]) -> None:
    """Put the rows of a query in the place of those with the same keys."""
    db.sql.execute(f"create or replace table fresh as {query}", values)
    db.sql.execute("delete from state where key in (select key from fresh)")
    db.sql.execute(f"insert into state by name select {', '.join(NAMES)} from fresh")  # noqa: S608
    db.sql.execute("drop table fresh")


# Of several records with one key the first was done, and the others are in quarantine for it.
_FIRST = "(select * from planned qualify row_number() over (partition by key order by problem) = 1)"

_CURRENT = f"""
    select images.key, 'current' as status, null as code, null as stage, 0 as tries, images.uri,
        case when retried.key is not null then '{AS_TRIED}' else first.version end as version,
        case when retried.key is null and first.size >= 0 then first.size else images.source_bytes end as size,
        nullif(first.metadata, '') as metadata, images.source_sha256 as sha256, images.output, images.folded,
        images.output_sha256, images.output_bytes, images.format, images.width, images.height, images.changed,
        images.faces, images.faces_restored, {", ".join(f"worst.{name}" for name in MEASURES)},
        ? as run_id, ? as made, ? as last_run, ? as last
    from images join {_FIRST} first using (key) left join worst using (key)
        left join (select distinct key from retried) retried using (key)
"""  # noqa: S608

_STUCK = f"""
    select stuck.key, 'quarantined' as status, arg_min(stuck.code, (stuck.stage = 'plan')::int) as code,
        arg_min(stuck.stage, (stuck.stage = 'plan')::int) as stage,
        any_value(case when before.status = 'quarantined' and before.version = first.version
            then before.tries + 1 else 1 end) as tries,
        any_value(first.uri) as uri, any_value(first.version) as version, any_value(first.size) as size,
        any_value(nullif(first.metadata, '')) as metadata, null as sha256,
        {", ".join(f"any_value(before.{name}) as {name}" for name in DERIVATIVE)},
        ? as last_run, ? as last
    from stuck join {_FIRST} first using (key) left join before using (key)
    where stuck.key not in (select key from images)
    group by stuck.key
"""  # noqa: S608

_UNSURE = f"""
    update state set version = '{UNSURE}', sha256 = null, output_sha256 = null
    where output is not null and key in (select key from cut_off)
"""  # noqa: S608

_STALE = """
    create or replace table stale as
    select before.output as path from before join state using (key)
    where before.output is not null and state.output is not null and before.output <> state.output
    and before.output not in (select output from state where output is not null)
"""
