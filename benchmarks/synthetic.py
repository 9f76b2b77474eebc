"""Writes the ledger of a run that nobody ran: plan, attempt marks, commits and table parts of a mirrored archive."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.restore.tables import FACES, IMAGES
from pipeline import layout
from pipeline.ledger import Commit, Quarantined, now
from pipeline.marks import new_mark
from pipeline.parts import OUTPUT_SCHEMA, write_part
from pipeline.plan import RECORD_SCHEMA, UNIT_SCHEMA, UNITS_A_PART, PlanSummary, UnitRef
from pipeline.run import Run, RunHeader, make_current
from pipeline.storage import Folder

QUARANTINED_EVERY = 250
"""One record of so many is in quarantine."""
ROWS = 120_000
"""Made-up rows of each table, of which units have slices."""
COUNTS = ("bytes_in", "faces_found", "faces_restored", "faces_kept:gate", "images_changed", "images_unchanged")
STAGES = ("read", "examine", "restore", "judge", "compose", "write")
LIBRARIES = ("facejobs", "python", "numpy", "opencv", "pyvips", "onnxruntime", "torch", "openvino", "pyarrow")


def write_run(folder: Path, records: int, unit_records: int) -> str:
    """Write the run, every unit committed and no manifest; says how much was written."""
    units = -(-records // unit_records)
    run_id = f"{records:016x}"
    home = folder / layout.RUNS / run_id
    for below in (layout.ATTEMPTS, layout.COMMITS, "plan/000", "tables/outputs/000", "tables/images", "tables/faces"):
        (home / below).mkdir(parents=True, exist_ok=True)
    parts = range(-(-units // UNITS_A_PART))
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(_write_part, home, part, records, unit_records) for part in parts]
        rows = [row for job in jobs for row in job.result()]
    pq.write_table(pa.Table.from_pylist(rows, UNIT_SCHEMA), home / layout.plan_index("000"))
    digest = hashlib.sha256("".join(str(row["unit_id"]) for row in rows).encode()).hexdigest()
    plan = PlanSummary(digest, units, records, sum(int(row["bytes"]) for row in rows), 0)
    header = RunHeader(run_id, "bench", "restore", {}, {"source": {"uri": "s3://archive"}}, plan, created=now())
    (home / layout.HEADER).write_bytes(header.to_bytes())
    make_current(Run(Folder(str(folder)), header))
    files = list(_files(home))
    return f"{len(files)} files, {sum(entry.stat().st_size for entry in files) / 2**30:.1f} GiB"


def _write_part(home: Path, part: int, records: int, unit_records: int) -> list[dict[str, int | str]]:
    """One part of the plan with all that its units have left; gives their rows of the plan's index."""
    rows: list[dict[str, int | str]] = []
    writer = _Writer(home)
    with pq.ParquetWriter(home / layout.plan_part("000", part), RECORD_SCHEMA) as plan:
        for row_group in range(UNITS_A_PART):
            index = part * UNITS_A_PART + row_group
            numbers = np.arange(index * unit_records, min((index + 1) * unit_records, records))
            if not numbers.size:
                break
            table = _records(numbers)
            plan.write_table(table, row_group_size=len(numbers))
            ref = UnitRef(hashlib.sha256(f"{index}".encode()).hexdigest()[:20], index, 0, "000", part, row_group, 0)
            writer.unit(ref, table["key"])
            size = {"records": len(numbers), "bytes": int(pc.sum(table["size"]).as_py())}
            rows.append({"unit_id": ref.unit_id, "index": index, "part": part, "row_group": row_group, **size})
    return rows


class _Writer:
    """Writes what a unit leaves; in a job kind's own tables everything is made up."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = _Unflushed(str(home))
        self._draw = np.random.default_rng(0)
        self._tables: dict[str, pa.Table] = {}
        self._taken = 0

    def unit(self, ref: UnitRef, keys: pa.ChunkedArray) -> None:
        """Attempt mark, table parts, commit."""
        count = len(keys)
        stuck = count // QUARANTINED_EVERY
        tables = {layout.OUTPUTS: self._outputs(ref, keys.slice(stuck))}
        tables |= {name: self._made_up(name, schema, count - stuck) for name, schema in TABLES.items()}
        token = hashlib.sha256(ref.unit_id.encode()).hexdigest()[:32]
        self._folder.write(layout.attempt_mark(ref.unit_id, 1), json.dumps(new_mark(token)).encode())
        listed = tables[layout.OUTPUTS]
        commit = Commit(
            unit_id=ref.unit_id,
            index=ref.index,
            round=0,
            attempt=1,
            token=token,
            records=count,
            ok=count - stuck,
            quarantined=tuple(_row(key) for key in keys.slice(0, stuck).to_pylist()),
            output_objects=listed.num_rows,
            output_bytes=int(pc.sum(listed["size"]).as_py() or 0),
            tables=tuple(write_part(self._folder, ref, 1, name, table) for name, table in tables.items()),
            counts=dict.fromkeys(COUNTS, count),
            seconds=dict.fromkeys(STAGES, 12.3456),
            started=now(),
            finished=now(),
            versions=dict.fromkeys(LIBRARIES, "1.23.4"),
        )
        self._folder.write(layout.commit_mark(ref.unit_id), commit.to_bytes())

    def _outputs(self, ref: UnitRef, keys: pa.ChunkedArray) -> pa.Table:
        """An image and a record for each key, with hashes that nothing compresses."""
        count = 2 * len(keys)
        digests = self._draw.bytes(32 * count).hex()
        return pa.table(
            {
                "path": pa.concat_arrays(
                    [keys.combine_chunks(), pc.binary_join_element_wise(keys, ".json", "").combine_chunks()]
                ),
                "size": self._draw.integers(1_000, 4_000_000, count),
                "sha256": [digests[start : start + 64] for start in range(0, 64 * count, 64)],
                "role": ["image"] * len(keys) + ["record"] * len(keys),
                "key": pa.concat_arrays([keys.combine_chunks()] * 2),
                "unit_id": [ref.unit_id] * count,
            },
            schema=OUTPUT_SCHEMA,
        )

    def _made_up(self, name: str, schema: pa.Schema, count: int) -> pa.Table:
        """Rows of a job kind's own table; none comes twice among those that are joined at once."""
        if name not in self._tables:
            columns = [_column(field.type, ROWS, self._draw) for field in schema]
            self._tables[name] = pa.table(columns, schema=schema)
        self._taken += count
        return self._tables[name].slice(self._taken % (ROWS - count), count)


TABLES = {"images": IMAGES, "faces": FACES}


class _Unflushed(Folder):
    """Files written without waiting for the disk: a hundred thousand flushes are not what is measured."""

    def write(self, name: str, data: bytes) -> None:
        path = Path(self.uri, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _records(numbers: np.ndarray) -> pa.Table:
    keys = [f"box-{number // 1000:06d}/print-{number:08d}.jpg" for number in numbers.tolist()]
    count = len(keys)
    return pa.table(
        {
            "key": keys,
            "uri": [f"s3://archive/{key}" for key in keys],
            "version": [f"{number:032x}" for number in numbers.tolist()],
            "size": 1_000_000 + numbers % 1000,
            "offset": np.full(count, -1),
            "row": np.full(count, -1),
            "metadata": [""] * count,
            "problem": [""] * count,
        },
        schema=RECORD_SCHEMA,
    )


def _row(key: str) -> Quarantined:
    return Quarantined(key, f"s3://archive/{key}", "truncated", "the file ends after 1234 bytes of its data", "examine")


def _column(kind: pa.DataType, rows: int, draw: np.random.Generator) -> pa.Array:
    """Values that nothing compresses, but for integers and booleans."""
    if pa.types.is_floating(kind):
        return pa.array(draw.random(rows), kind)
    if pa.types.is_boolean(kind):
        return pa.array(draw.integers(2, size=rows).astype(bool))
    if pa.types.is_integer(kind):
        return pa.array(draw.integers(100, size=rows), kind)
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(pa.array(draw.random(rows * kind.list_size)), kind.list_size)
    if pa.types.is_list(kind):
        return pa.array([[]] * rows, kind)
    digits = draw.bytes(16 * rows).hex()
    return pa.array([digits[start : start + 32] for start in range(0, 32 * rows, 32)])


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path))
            else:
                yield entry
