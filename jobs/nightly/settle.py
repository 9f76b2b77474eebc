"""After a night's work: derivatives that have no place any more go, and the collection's state is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from jobs.nightly.database import Database
from jobs.nightly.state import Makers, keep_state, load_state
from jobs.restore.leftovers import SUFFIX, Leftovers
from pipeline import layout
from pipeline.dropped import drop
from pipeline.fetching import fetched
from pipeline.keyset import KeySet
from pipeline.ledger import now
from pipeline.run import Run

TOMBSTONES = f"{layout.HOME}/tombstones"


def settle(db: Database, run: Run) -> Makers:
    """Bring a collection to its state after a run; where it was kept, that alone is read.

    Done again after it was cut off, it goes on where it was.

    Args:
        db: gets the table `state`.
        run: the collection's last run, complete or closed.

    Returns:
        who made what stands.

    Raises:
        LedgerError: what a run has written about itself is damaged.
        StorageError: storage does not answer.
    """
    makers = load_state(db, run)
    if makers.kept:
        return makers
    _take_away(db, run)
    keep_state(db, run, makers)
    return makers


def _take_away(db: Database, run: Run) -> None:
    """Delete what stood under another name, and what is to be buried; a tombstone is put before."""
    stale = [str(path) for (path,) in db.sql.execute("select path from stale").fetchall()]
    buried = db.sql.execute(
        "select output, key from before where output is not null and key in "
        "(select key from gone where cause = 'tombstoned')"
    ).fetchall()
    for _ in fetched(lambda row: _bury(run, str(row[0]), str(row[1])), buried):
        pass
    drop(run, [*_with_records([*stale, *(str(path) for path, _ in buried)]), *_left_behind(db, run)])


def _left_behind(db: Database, run: Run) -> Iterator[str]:
    """What units that were cut off have put under names that no derivative has."""
    if not run.closed:
        return
    standing = KeySet(
        name
        for (output,) in db.sql.execute("select output from state where output is not null").fetchall()
        for name in (output, f"{output}{SUFFIX}")
    )
    leftovers = Leftovers.of(run.header)
    for (key,) in db.sql.execute("select key from cut_off").fetchall():
        names = [name for name in leftovers.names(str(key)) if name not in standing]
        yield from (name for name in names if leftovers.own(run.outputs, name))


def _bury(run: Run, output: str, key: str) -> None:
    """Keep the record of a derivative that goes, with the day and the run."""
    name = f"{TOMBSTONES}/{run.header.run_id}/{hashlib.sha256(output.encode()).hexdigest()[:32]}{SUFFIX}"
    if run.output.exists(name):
        return
    try:
        record: Any = json.loads(run.outputs.read(f"{output}{SUFFIX}"))
    except (FileNotFoundError, ValueError):
        record = None
    stone = {"key": key, "output": output, "taken_away": now(), "run_id": run.header.run_id, "record": record}
    run.output.write(name, (json.dumps(stone, indent=1, ensure_ascii=False) + "\n").encode())


def _with_records(paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        yield path
        yield f"{path}{SUFFIX}"
