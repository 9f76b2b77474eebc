"""The state of a collection after a run: read where it was kept, made from the ledgers of the runs where it was not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from jobs.identity import digest
from jobs.nightly.columns import NAMES, SCHEMA
from jobs.nightly.database import Database
from jobs.nightly.fold import fold
from pipeline import layout
from pipeline.history import back_from
from pipeline.run import Run

TABLE = "state"
_NOTE = b"facejobs"
KEPT = 2
"""States that are kept: the last one, and the one before, from which the last is made again after a retry."""


@dataclass
class Makers:
    """The identities of the runs whose derivatives stand or that failed last: a night need not read every run's header.

    Attributes:
        runs: hash of each run's identity, by run id.
        identities: identities by hash.
        kept: whether the state was read as it had been kept after the very run that was asked for.
    """

    runs: dict[str, str] = field(default_factory=dict)
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    kept: bool = False

    def add(self, run: Run) -> None:
        """Note one more run."""
        identity = dict(run.header.identity)
        name = digest(identity)
        self.runs[run.header.run_id] = name
        self.identities[name] = identity

    def of(self, run_id: str) -> Mapping[str, Any]:
        """The identity of a run."""
        return self.identities[self.runs[run_id]]

    def keep(self, runs: set[str]) -> None:
        """Forget the others."""
        self.runs = {run_id: name for run_id, name in self.runs.items() if run_id in runs}
        self.identities = {name: self.identities[name] for name in self.runs.values()}


def load_state(db: Database, run: Run | None) -> Makers:
    """Make the table `state` of a collection.

    Args:
        db: gets the table, with the columns of `jobs.nightly.columns`.
        run: the last run that counts; None for a collection that is empty.

    Returns:
        who made what stands.

    Raises:
        LedgerError: what a run has written about itself is damaged.
        StorageError: storage does not answer.
    """
    makers = Makers()
    db.load(TABLE, SCHEMA, ())
    if run is None:
        return makers
    missing: list[Run] = []
    for one in back_from(run):
        found = _read(db, one)
        if found is not None:
            makers = found
            makers.kept = not missing
            break
        missing.append(one)
    for one in reversed(missing):
        fold(db, one)
        makers.add(one)
    if missing:
        needed = db.sql.execute(
            "select distinct run_id from state where run_id is not null "
            "union select distinct last_run from state where status = 'quarantined'"
        ).fetchall()
        makers.keep({run_id for (run_id,) in needed})
    return makers


def keep_state(db: Database, run: Run, makers: Makers) -> None:
    """Put the table `state` where the next night finds it, and forget all but the last two."""
    spool = db.folder / "kept.parquet"
    note = {_NOTE: json.dumps({"runs": makers.runs, "identities": makers.identities}).encode()}
    schema = SCHEMA.with_metadata(note)
    columns = ", ".join(NAMES)
    with pq.ParquetWriter(spool, schema, compression="zstd") as writer:
        reader = db.sql.sql(f"select {columns} from {TABLE} order by key").to_arrow_reader(50_000)  # noqa: S608
        for batch in reader:
            writer.write_batch(batch.cast(SCHEMA).replace_schema_metadata(note))
    name = layout.collection_state(run.header.run_id, len(run.rounds()))
    run.output.upload(name, spool)
    spool.unlink()
    _forget_old(run)


def _forget_old(run: Run) -> None:
    last = [run.header.run_id, run.header.follows][:KEPT]
    for path in run.output.names(layout.COLLECTION):
        if path.rsplit("/", 1)[-1].split("-", 1)[0] not in last:
            run.output.delete(path)


def _read(db: Database, run: Run) -> Makers | None:
    """The kept state after a run into the table; None where there is none, or it cannot be read and is made again."""
    name = layout.collection_state(run.header.run_id, len(run.rounds()))
    try:
        data = run.output.read(name)
    except FileNotFoundError:
        return None
    spool = db.folder / "read.parquet"
    spool.write_bytes(data)
    try:
        schema = pq.read_schema(spool)
        if schema.names != list(NAMES):
            return None
        said = json.loads(schema.metadata[_NOTE])
        db.read(TABLE, spool)
        return Makers(dict(said["runs"]), dict(said["identities"]))
    except (ValueError, KeyError, TypeError, OSError):
        return None
    finally:
        spool.unlink()
