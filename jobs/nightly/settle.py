"""After a night's work: derivatives that have no place any more go, and the collection's state is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from jobs.nightly.database import Database
from jobs.nightly.state import Makers, keep_state, kept, load_state
from jobs.restore.leftovers import SUFFIX
from pipeline import layout
from pipeline.dropped import drop
from pipeline.fetching import fetched
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
    if kept(run):
        return load_state(db, run)
    makers = load_state(db, run)
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
    drop(run, _with_records([*stale, *(str(path) for path, _ in buried)]))


def _bury(run: Run, output: str, key: str) -> None:
    """Keep the record of a derivative that goes, with the day and the run."""
    name = f"{TOMBSTONES}/{output}.{run.header.run_id}{SUFFIX}"
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
