"""The end of a run: tables of all units, the quarantine list, and last the manifest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.ledger import Commit, now
from pipeline.quarantine import standing, to_csv
from pipeline.run import Run
from pipeline.storage import Folder
from pipeline.sweep import attempts_of, drop_losers, drop_parts, drop_replaced
from pipeline.tally import planned

OUTPUT_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("sha256", pa.string()),
        ("role", pa.string()),
        ("key", pa.string()),
        ("unit_id", pa.string()),
    ]
)


def finish(run: Run, replaced: Run | None = None) -> dict[str, Any]:
    """Write what a finished run has beside its ledger; the manifest comes last and says that it is complete.

    What attempts that were cut off have left is taken away; and so are outputs of `replaced`, the run that this one has
    taken the place of, that this one has not written anew.

    Raises ValueError when a unit is missing or its counts do not add up.
    """
    tally = planned(run.summaries())
    tables: dict[str, list[str]] = {}
    attempts = attempts_of(run)
    with tempfile.TemporaryDirectory(prefix="facejobs-finish-") as spool:
        listing = Path(spool) / "outputs.parquet"
        with pq.ParquetWriter(listing, OUTPUT_SCHEMA, compression="zstd") as writer:
            for commit in run.ledger.commits(ref.unit_id for ref in run.refs()):
                if commit.records != commit.ok + len(commit.quarantined):
                    raise ValueError(
                        f"unit {commit.unit_id}: {commit.records} in, but {commit.ok} ok and "
                        f"{len(commit.quarantined)} quarantined"
                    )
                tally.add_commit(commit)
                if attempts[commit.unit_id] > 1:
                    drop_losers(run, commit, attempts[commit.unit_id])
                writer.write_table(_outputs_table(commit))
                for table in commit.tables:
                    tables.setdefault(table.path.split("/")[1], []).append(table.path)
        if not tally.complete:
            raise ValueError(f"{tally.units_committed} of {tally.units_planned} units are committed")
        hashes = {layout.OUTPUTS_TABLE: _upload(run.folder, layout.OUTPUTS_TABLE, listing)}
        for name, parts in sorted(tables.items()):
            whole = Path(spool) / f"{name}.parquet"
            _concatenate(run.folder, parts, whole)
            hashes[layout.table(name)] = _upload(run.folder, layout.table(name), whole)
    drop_parts(run)
    if replaced is not None:
        drop_replaced(run, replaced)
    write_quarantine(run)
    manifest = {
        "run_id": run.header.run_id,
        "rounds": len(run.rounds()),
        "plan": run.header.plan.digest,
        "units": tally.units_committed,
        "records": tally.records_planned,
        "ok": tally.ok,
        "quarantined": tally.quarantined,
        "outputs": tally.output_objects,
        "output_bytes": tally.output_bytes,
        "counts": dict(tally.counts),
        "tables": hashes,
        "finished": now(),
    }
    run.folder.write(layout.MANIFEST, json.dumps(manifest, indent=1).encode())
    return manifest


def write_quarantine(run: Run) -> None:
    """Write the list of what is in quarantine now; also of a run that is not finished."""
    run.folder.write(layout.QUARANTINE, to_csv(standing(run)))


def read_parts(folder: Folder, paths: Iterable[str]) -> Iterator[pa.Table]:
    """Table parts, one after the other."""
    for path in paths:
        yield pq.read_table(pa.BufferReader(folder.read(path)))


def _concatenate(folder: Folder, parts: list[str], target: Path) -> None:
    writer: pq.ParquetWriter | None = None
    for part in read_parts(folder, parts):
        if writer is None:
            writer = pq.ParquetWriter(target, part.schema, compression="zstd")
        writer.write_table(part)
    assert writer is not None
    writer.close()


def _outputs_table(commit: Commit) -> pa.Table:
    rows = [
        {
            "path": output.path,
            "size": output.size,
            "sha256": output.sha256,
            "role": output.role,
            "key": output.key,
            "unit_id": commit.unit_id,
        }
        for output in commit.outputs
    ]
    return pa.Table.from_pylist(rows, OUTPUT_SCHEMA)


def _upload(folder: Folder, name: str, path: Path) -> str:
    data = path.read_bytes()
    folder.write(name, data)
    return hashlib.sha256(data).hexdigest()
