"""The end of a run: tables of all units, the quarantine list, and last the manifest."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.errors import LedgerError, RunConflictError
from pipeline.ledger import Commit, Quarantined, now
from pipeline.parts import dictionaries, read_parts
from pipeline.quarantine import standing, standing_commits
from pipeline.records import Output
from pipeline.run import Run
from pipeline.sinks.writing import sha256_of
from pipeline.sweep import attempts_of, drop_losers, drop_parts, drop_replaced
from pipeline.tally import Tally, planned

GROUP_ROWS = 50_000
"""Rows of a row group of a joined table, so that its footer stays small whatever the number of units."""


def finish(run: Run, replaced: Run | None = None, closing: Callable[[Run], Sequence[Output]] | None = None) -> Tally:
    """Write what a finished run has beside its ledger; the manifest comes last and says that it is complete.

    What attempts that were cut off have left is taken away; and so are outputs of `replaced`, the run that this one has
    taken the place of, that this one has not written anew.

    Args:
        run: the run.
        replaced: the run that it has taken the place of.
        closing: writes what the outputs need as a whole, below the run's output folder, and names every object it
            wrote. They stand in the manifest as `finals`. It may be called again for a run that was cut off meanwhile,
            or of which a retry was planned since, and overwrites what it wrote before.

    Returns:
        the run's final counts.

    Raises:
        RunConflictError: a unit has no commit.
        LedgerError: a commit's counts do not add up, or a table part is damaged.
    """
    # Counted first: a retry that another driver plans meanwhile makes this manifest one of a run that goes on.
    rounds = len(run.rounds())
    tally = planned(run)
    parts: dict[str, list[Output]] = defaultdict(list)
    hashes: dict[str, str] = {}
    attempts = attempts_of(run)
    with tempfile.TemporaryDirectory(prefix="facejobs-finish-") as spool:
        quarantine = Path(spool) / layout.QUARANTINE
        with _QuarantineFile(quarantine) as rows:
            # Every planned unit's commit is read by its name: what a listing misses must not be missing here.
            for commit, standing_rows in standing_commits(run):
                _check(commit)
                tally.add_commit(commit, standing_rows)
                if attempts[commit.unit_id] > 1:
                    drop_losers(run, commit, attempts[commit.unit_id])
                rows.add(standing_rows)
                for part in commit.tables:
                    parts[layout.table_of(part.path)].append(part)
        if not tally.complete:
            raise RunConflictError(
                f"{run.folder.uri}: only {tally.units_committed} of {tally.units_planned} planned units have a commit: "
                "a retry was planned meanwhile, or a commit was removed; run the job again, which does the others"
            )
        for name, pieces in sorted(parts.items()):
            whole = Path(spool) / layout.table(name)
            with _Joined(whole) as joined:
                for table in read_parts(run.folder, pieces):
                    joined.add(table)
            run.folder.upload(layout.table(name), whole)
            hashes[layout.table(name)] = sha256_of(whole)
            whole.unlink()
        run.folder.upload(layout.QUARANTINE, quarantine)
    drop_parts(run)
    finals = closing(run) if closing is not None else ()
    if replaced is not None:
        drop_replaced(run, replaced, finals, whole=closing is not None)
    manifest = {
        "run_id": run.header.run_id,
        "rounds": rounds,
        "plan": run.header.plan.digest,
        **tally.for_manifest(),
        "tables": hashes,
        "finals": [asdict(output) for output in finals],
        "finished": now(),
    }
    run.folder.write(layout.MANIFEST, json.dumps(manifest, indent=1).encode())
    return tally


def write_quarantine(run: Run) -> None:
    """Write the list of what is in quarantine now, of a run that is not finished."""
    with tempfile.TemporaryDirectory(prefix="facejobs-finish-") as spool:
        path = Path(spool) / layout.QUARANTINE
        with _QuarantineFile(path) as rows:
            rows.add(standing(run))
        run.folder.upload(layout.QUARANTINE, path)


class _Joined:
    """A local Parquet file of many small tables of one schema, in row groups of a sensible size."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> _Joined:
        return self

    def add(self, table: pa.Table) -> None:
        """Append rows."""
        self._held.append(table)
        self._rows += table.num_rows
        if self._rows >= GROUP_ROWS:
            self._write()

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._write()
        if self._writer is not None:
            self._writer.close()

    def _write(self) -> None:
        table = pa.concat_tables(self._held)
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="zstd", use_dictionary=dictionaries(table.schema)
            )
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._held, self._rows = [], 0


class _QuarantineFile:
    """A local CSV file of quarantine rows, with a header line (RFC 4180)."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)

    def __enter__(self) -> _QuarantineFile:
        self._writer.writerow(field.name for field in fields(Quarantined))
        return self

    def add(self, rows: Iterable[Quarantined]) -> None:
        """Append rows."""
        self._writer.writerows(astuple(row) for row in rows)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _check(commit: Commit) -> None:
    if commit.records != commit.ok + len(commit.quarantined):
        stuck = len(commit.quarantined)
        raise LedgerError(
            f"unit {commit.unit_id}: {commit.records} in, but {commit.ok} ok and {stuck} in quarantine; "
            f"remove {layout.commit_mark(commit.unit_id)} and run the job again, which does the unit again"
        )
