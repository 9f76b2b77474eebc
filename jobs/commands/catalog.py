"""`facejobs catalog`: the state of a collection over all of its runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.locate import locate
from jobs.nightly.columns import NAMES
from jobs.nightly.condition import problem_of, said
from jobs.nightly.database import Database, database
from jobs.nightly.history import Event, history_of
from jobs.nightly.state import Makers, load_state
from jobs.report.text import size
from jobs.report.verdict import many
from pipeline import layout
from pipeline.history import chain_of
from pipeline.run import Run

SHOWN = 40
KINDS_OF_FILE = {".csv": "csv, header", ".parquet": "parquet", ".jsonl": "json", ".json": "json, array true"}


def show_catalog(
    place: str, keys: Sequence[str], where: str, to: Path | None, out: Output, *, as_json: bool, force: bool
) -> Exit:
    """Sums over a collection, rows of it, or the history of records."""
    located = locate(place)
    out.use(located.scrubber)
    run = located.run
    _check(run, place, where, to, force=force)
    if keys:
        return _histories(run, keys, out, as_json=as_json)
    with database() as db:
        makers = load_state(db, run)
        _with_models(db, makers)
        try:
            if to is not None:
                return _write(db, where, to, out)
            if where:
                return _rows(db, where, out, as_json=as_json)
        except duckdb.Error as error:
            raise CommandError(f"{where or to}: {said(error)}", Exit.USAGE) from None
        return _sums(db, run, out, as_json=as_json)


def _check(run: Run, place: str, where: str, to: Path | None, *, force: bool) -> None:
    if run.header.kind != "restore":
        raise CommandError(
            f"{place}: holds a {run.header.kind} run; a catalogue is of restored collections", Exit.USAGE
        )
    if where and (wrong := problem_of(where)):
        raise CommandError(f"--where: {wrong}", Exit.USAGE)
    if to is None:
        return
    if to.suffix not in KINDS_OF_FILE:
        raise CommandError(f"--to {to}: expected a name that ends in {', '.join(KINDS_OF_FILE)}", Exit.USAGE)
    if to.exists() and not force:
        raise CommandError(f"--to {to}: there is a file already; --force overwrites it", Exit.USAGE)


def _with_models(db: Database, makers: Makers) -> None:
    """Make the table `catalogue`: the state, with the model that made what stands."""
    db.sql.execute("create or replace table models (run_id varchar, model varchar)")
    rows = [[run_id, str(makers.of(run_id)["restorer"]["name"])] for run_id in makers.runs]
    if rows:
        db.sql.executemany("insert into models values (?, ?)", rows)
    columns = ", ".join(f"state.{name}" for name in NAMES)
    db.sql.execute(
        f"create or replace table catalogue as select {columns}, null::varchar as cause, models.model "  # noqa: S608
        "from state left join models using (run_id)"
    )


def _query(where: str) -> str:
    condition = f" where (\n{where}\n)" if where else ""
    return f"select * exclude (folded, cause) from catalogue{condition} order by key"  # noqa: S608


def _write(db: Database, where: str, to: Path, out: Output) -> Exit:
    db.sql.execute(f"create or replace table wanted as {_query(where)}")
    count = db.count("select count(*) from wanted")
    db.sql.execute(f"copy wanted to '{str(to).replace(chr(39), chr(39) * 2)}' (format {KINDS_OF_FILE[to.suffix]})")
    out.say(f"{count} rows: {to}")
    return Exit.DONE


def _rows(db: Database, where: str, out: Output, *, as_json: bool) -> Exit:
    count = 0
    for count, row in enumerate(db.rows(_query(where)), 1):
        if as_json:
            out.say(json.dumps(row))
        elif count <= SHOWN:
            out.say(_line(row))
    if not as_json:
        more = f" ({count - SHOWN} more; --json or --to gives all)" if count > SHOWN else ""
        out.say(f"{count} records{more}")
    return Exit.DONE


def _line(row: dict[str, Any]) -> str:
    faces = f"{row['faces_restored'] or 0} of {row['faces'] or 0} faces"
    what = row["code"] if row["status"] == "quarantined" else faces
    day = (row["made"] or row["last"] or "")[:10]
    return f"{row['status']:<12}{day:<12}{row['model'] or '':<16}{what:<24}{row['key']}"


def _sums(db: Database, run: Run, out: Output, *, as_json: bool) -> Exit:
    sums = sums_of(db, run)
    if as_json:
        out.say(json.dumps(sums, indent=1))
        return Exit.DONE
    nights = f" in {many(sums['nights'], 'night')}" if sums["nights"] else ""
    out.say(f"{sums['name']}: {many(sums['records'], 'record')}{nights}, {run.output.uri}")
    for status in ("current", "quarantined", "deleted", "tombstoned"):
        out.say(f"{status:<12}{sums['by_status'].get(status, 0):>10,}")
        for row in sums["by_maker"] if status == "current" else ():
            faces = f"{many(row['faces_restored'], 'face')} restored"
            out.say(f"  {row['records']:>20,}  by {row['model']}, run {row['run_id']} of {row['made'][:10]}, {faces}")
        for code, count in sums["by_code"].items() if status == "quarantined" else ():
            out.say(f"  {count:>20,}  {code}")
    out.say(f"derivatives {size(sums['output_bytes']):>10}")
    if last := sums["last_night"]:
        out.say(
            f"last night  {(last['finished'] or last['started'])[:16]}: {last['done']} done, {last['quarantined']} in "
            f"quarantine, {last['carried_over']} carried over"
        )
    return Exit.DONE


def sums_of(db: Database, run: Run) -> dict[str, Any]:
    """A collection in numbers, JSON values.

    Args:
        db: with the table `catalogue`.
        run: the collection's last run.
    """
    chain = chain_of(run)
    makers = db.rows(
        "select model, run_id, max(made) as made, count(*) as records, sum(faces_restored)::bigint as faces_restored "
        "from catalogue where status = 'current' group by model, run_id order by made, run_id"
    )
    try:
        last = json.loads(run.output.read(layout.LAST_NIGHT))
    except (FileNotFoundError, ValueError):
        last = None
    return {
        "name": run.header.name,
        "run_id": run.header.run_id,
        "runs": len(chain),
        "nights": run.header.night,
        "records": db.count("select count(*) from catalogue"),
        "by_status": _grouped(db, "status", "true"),
        "by_code": _grouped(db, "code", "status = 'quarantined'"),
        "by_maker": list(makers),
        "output_bytes": db.count("select coalesce(sum(output_bytes), 0)::bigint from catalogue"),
        "last_night": last,
    }


def _grouped(db: Database, column: str, where: str) -> dict[str, int]:
    query = f"select {column}, count(*) from catalogue where {where} group by 1 order by 2 desc, 1"  # noqa: S608
    return {str(name): int(count) for name, count in db.sql.execute(query).fetchall()}


def _histories(run: Run, keys: Sequence[str], out: Output, *, as_json: bool) -> Exit:
    found = {key: list(history_of(run, key)) for key in keys}
    if as_json:
        out.say(json.dumps({key: [asdict(event) for event in events] for key, events in found.items()}, indent=1))
    else:
        for key, events in found.items():
            _say_history(key, events, out)
    missing = [key for key, events in found.items() if not events]
    if missing:
        raise CommandError(
            f"{run.output.uri}: the collection has no record {missing[0]!r}; keys are paths relative to the source, as "
            "in `facejobs catalog RUN --where \"key like '%name%'\"`",
            Exit.USAGE,
        )
    return Exit.DONE


def _say_history(key: str, events: Sequence[Event], out: Output) -> None:
    """One line an event; a star marks the one that made what stands."""
    out.say(key)
    made = [event for event in events if event.result == "made"]
    buried = any(event.result == "tombstoned" for event in events[events.index(made[-1]) :]) if made else True
    for event in events:
        mark = "*" if not buried and event is made[-1] else " "
        night = f"night {event.night}" if event.night else "run"
        result = "" if event.result == event.cause else event.result
        said = event.code
        if event.result == "made":
            faces = many(event.faces_restored, "face")
            said = f"by {event.restorer}: {event.output}, {faces} restored, sha256 {event.output_sha256[:12]}"
        line = f"{mark} {event.when[:16]}  {night:<10}{event.run_id[:8]}  {event.cause:<11}{result:<12}{said}"
        out.say(line.rstrip())
