"""The frozen list of units of a run: cut once from the source, written as Parquet, read back unit by unit."""

from __future__ import annotations

import hashlib
import json
import tempfile
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.intact import START_AGAIN, intact
from pipeline.keyset import hash64
from pipeline.records import Record, Unit
from pipeline.storage import Folder

Read = TypeVar("Read")

UNITS_A_PART = 256

RECORD_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("uri", pa.string()),
        ("version", pa.string()),
        ("size", pa.int64()),
        ("offset", pa.int64()),
        ("row", pa.int64()),
        ("metadata", pa.string()),
        ("problem", pa.string()),
    ]
)
UNIT_SCHEMA = pa.schema(
    [
        ("unit_id", pa.string()),
        ("index", pa.int64()),
        ("part", pa.int32()),
        ("row_group", pa.int32()),
        ("records", pa.int32()),
        ("bytes", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class UnitRef:
    """Where a unit stands in the plan: all that a driver has to send to a worker.

    Attributes:
        unit_id: the unit.
        index: its position in its round.
        round: 0 for the plan itself, then one a retry.
        plan: name of the round's plan (`layout.plan_name`).
        part: which records file.
        row_group: which row group of it.
        records: how many records it holds.
    """

    unit_id: str
    index: int
    round: int
    plan: str
    part: int
    row_group: int
    records: int


@dataclass(frozen=True)
class PlanSummary:
    """A plan in numbers.

    Attributes:
        digest: hash over all unit ids in order.
        units: how many units.
        records: how many records.
        bytes: sum of the records' sizes, those of unknown size left out.
        problems: records that are known to fail already.
    """

    digest: str
    units: int
    records: int
    bytes: int
    problems: int


class PlanWriter:
    """Writes units to a local spool, marks name collisions, then uploads; memory grows by 8 bytes a record.

    Args:
        spool: an empty local folder.
        output_name: the name under which a record's output would collide with another's.
    """

    def __init__(self, spool: Path, output_name: Callable[[Record], str]) -> None:
        self._spool = spool
        self._output_name = output_name
        self._names = array("Q")
        self._rows: list[dict[str, int | str]] = []
        self._problems = 0
        self._writer: pq.ParquetWriter | None = None
        self._digest = hashlib.sha256()

    def add(self, unit: Unit) -> None:
        """Append one unit as a row group."""
        part, row_group = divmod(len(self._rows), UNITS_A_PART)
        if row_group == 0:
            self._roll(part)
        assert self._writer is not None
        self._writer.write_table(_to_table(unit.records), row_group_size=len(unit.records))
        self._names.extend(hash64(self._output_name(record)) for record in unit.records)
        self._problems += sum(bool(record.problem) for record in unit.records)
        self._digest.update(unit.unit_id.encode())
        self._rows.append(
            {
                "unit_id": unit.unit_id,
                "index": unit.index,
                "part": part,
                "row_group": row_group,
                "records": len(unit.records),
                "bytes": sum(max(record.size, 0) for record in unit.records),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 over all unit ids so far, in order."""
        return self._digest.hexdigest()

    def finish(self, folder: Folder, plan: str) -> PlanSummary:
        """Mark collisions and upload every part, then the index; returns the plan in numbers."""
        self._roll(None)
        self._mark_repeated()
        for number in range(self._parts):
            folder.upload(layout.plan_part(plan, number), self._part(number))
        index = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(self._rows, UNIT_SCHEMA), index)
        folder.write(layout.plan_index(plan), index.getvalue().to_pybytes())
        return PlanSummary(
            digest=self.digest,
            units=len(self._rows),
            records=len(self._names),
            bytes=sum(int(row["bytes"]) for row in self._rows),
            problems=self._problems,
        )

    @property
    def _parts(self) -> int:
        return -(-len(self._rows) // UNITS_A_PART)

    def _part(self, number: int) -> Path:
        return self._spool / f"{number:05d}.parquet"

    def _roll(self, part: int | None) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        if part is not None:
            self._writer = pq.ParquetWriter(self._part(part), RECORD_SCHEMA)

    def _mark_repeated(self) -> None:
        """Give every record but the first of a colliding output name a problem; parts without one stay as they are."""
        repeated = np.ones(len(self._names), bool)
        repeated[np.unique(np.frombuffer(self._names, np.uint64), return_index=True)[1]] = False
        start = 0
        for number in range(self._parts):
            rows = self._rows[number * UNITS_A_PART : (number + 1) * UNITS_A_PART]
            end = start + sum(int(row["records"]) for row in rows)
            if repeated[start:end].any():
                self._mark(self._part(number), repeated[start:end])
            start = end

    def _mark(self, part: Path, repeated: np.ndarray) -> None:
        marked = part.with_suffix(".marked")
        waiting = iter(repeated.tolist())
        with pq.ParquetFile(part) as source, pq.ParquetWriter(marked, RECORD_SCHEMA) as writer:
            for number in range(source.num_row_groups):
                records = [
                    self._repeated(record) if again and not record.problem else record
                    for record, again in zip(_from_table(source.read_row_group(number)), waiting, strict=False)
                ]
                writer.write_table(_to_table(records), row_group_size=len(records))
        marked.replace(part)

    def _repeated(self, record: Record) -> Record:
        self._problems += 1
        name = self._output_name(record)
        problem = (
            f"duplicate_name: a record before it has the same output name {name!r} (upper and lower "
            "case count as the same); rename one of the two, or put {key} into `output.name`"
        )
        return replace(record, problem=problem)


def write_plan(
    units: Iterable[Unit], output_name: Callable[[Record], str], deliver: Callable[[PlanWriter], PlanSummary]
) -> PlanSummary:
    """Spool all units, then let `deliver` finish the writer (it knows the run's folder only once all is hashed)."""
    with tempfile.TemporaryDirectory(prefix="facejobs-plan-") as spool:
        writer = PlanWriter(Path(spool), output_name)
        for unit in units:
            writer.add(unit)
        return deliver(writer)


def read_refs(folder: Folder, round_: int, plan: str) -> Iterator[UnitRef]:
    """All units of a round, in order."""
    name = layout.plan_index(plan)
    with intact(folder, name, START_AGAIN, needed=True):
        table = pq.read_table(pa.BufferReader(folder.read(name)))
    for batch in table.to_batches(max_chunksize=4096):
        for row in batch.to_pylist():
            yield UnitRef(row["unit_id"], row["index"], round_, plan, row["part"], row["row_group"], row["records"])


class PlanReader:
    """Reads units' records; keeps the last file open, since a worker's units are mostly neighbours."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._name = ""
        self._file: pq.ParquetFile | None = None

    def unit(self, ref: UnitRef) -> Unit:
        """The unit with its records."""
        return Unit(ref.unit_id, ref.index, tuple(self._read(ref, _from_table)))

    def keys(self, ref: UnitRef) -> list[str]:
        """Keys of a unit's records."""
        return self._read(ref, lambda table: table["key"].to_pylist(), ["key"])

    def some(self, ref: UnitRef, keys: Container[str]) -> list[Record]:
        """Those of a unit's records that have one of these keys; of ten million records the others are not made."""
        places = [place for place, key in enumerate(self.keys(ref)) if key in keys]
        return self._read(ref, lambda table: _from_table(table.take(places))) if places else []

    def _read(
        self, ref: UnitRef, made: Callable[[pa.Table], list[Read]], columns: list[str] | None = None
    ) -> list[Read]:
        name = layout.plan_part(ref.plan, ref.part)
        with intact(self._folder, name, START_AGAIN, needed=True):
            if self._file is None or self._name != name:
                self._file = pq.ParquetFile(pa.BufferReader(self._folder.read(name)))
                self._name = name
            return made(self._file.read_row_group(ref.row_group, columns))


def row_of(record: Record) -> dict[str, Any]:
    """A record as a row of `RECORD_SCHEMA`."""
    return {
        "key": record.key,
        "uri": record.uri,
        "version": record.version,
        "size": record.size,
        "offset": record.offset,
        "row": record.row,
        "metadata": json.dumps(dict(record.metadata)) if record.metadata else "",
        "problem": record.problem,
    }


def record_of(row: Mapping[str, Any]) -> Record:
    """The reverse of `row_of`."""
    return Record(**{**row, "metadata": json.loads(row["metadata"]) if row["metadata"] else {}})


def _to_table(records: Iterable[Record]) -> pa.Table:
    return pa.Table.from_pylist([row_of(record) for record in records], RECORD_SCHEMA)


def _from_table(table: pa.Table) -> list[Record]:
    return [record_of(row) for row in table.to_pylist()]
