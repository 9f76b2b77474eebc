"""The frozen list of units of a run: cut once from the source, written as Parquet, read back unit by unit."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.intact import START_AGAIN, intact
from pipeline.records import Record, Unit
from pipeline.storage import Folder

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
        part: which records file.
        row_group: which row group of it.
        records: how many records it holds.
    """

    unit_id: str
    index: int
    round: int
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


def cut_units(records: Iterable[Record], unit_records: int, unit_bytes: int, salt: str = "") -> Iterator[Unit]:
    """Group records, in order, into units of one shard with at most so many records and bytes.

    A single record larger than `unit_bytes` is a unit of its own. `salt` makes the ids of a retry differ from the
    first round's.
    """
    held: list[Record] = []
    size = 0
    index = 0
    for record in records:
        full = len(held) >= unit_records or size + max(record.size, 0) > unit_bytes
        if held and (full or _shard(record) != _shard(held[0])):
            yield Unit(unit_id(held, salt), index, tuple(held))
            held, size, index = [], 0, index + 1
        held.append(record)
        size += max(record.size, 0)
    if held:
        yield Unit(unit_id(held, salt), index, tuple(held))


def digest_of(units: Iterable[Unit]) -> str:
    """What `PlanSummary.digest` would be of a plan with these units."""
    digest = hashlib.sha256()
    for unit in units:
        digest.update(unit.unit_id.encode())
    return digest.hexdigest()


def unit_id(records: Iterable[Record], salt: str = "") -> str:
    """Twenty hex digits of SHA-256 over what the records are and where they lie."""
    digest = hashlib.sha256(salt.encode())
    for record in records:
        digest.update(
            json.dumps([record.key, record.uri, record.version, record.size, record.offset, record.row]).encode()
        )
    return digest.hexdigest()[:20]


def _shard(record: Record) -> str:
    """The container a record lies in; loose files share one."""
    return record.uri if record.offset >= 0 or record.row >= 0 else ""


class PlanWriter:
    """Writes units to a local spool, marks name collisions, then uploads; memory grows by 8 bytes a record."""

    def __init__(self, spool: Path, output_name: Callable[[Record], str]) -> None:
        self._spool = spool
        self._output_name = output_name
        self._names: list[np.ndarray] = []
        self._rows: list[dict[str, object]] = []
        self._writer: pq.ParquetWriter | None = None
        self._digest = hashlib.sha256()

    def add(self, unit: Unit) -> None:
        """Append one unit as a row group."""
        part, row_group = divmod(len(self._rows), UNITS_A_PART)
        if row_group == 0:
            self._roll(part)
        assert self._writer is not None
        self._writer.write_table(_to_table(unit.records), row_group_size=len(unit.records))
        self._names.append(np.array([_name_hash(self._output_name(record)) for record in unit.records], np.uint64))
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

    def finish(self, folder: Folder, round_: int) -> PlanSummary:
        """Mark collisions and upload every part, then the index; returns the plan in numbers."""
        self._roll(None)
        problems = 0
        parts = sorted(self._spool.glob("*.parquet"))
        colliding = self._collisions()
        if colliding.size:
            seen: set[int] = set()
            for part in parts:
                self._mark(part, colliding, seen)
        for number, part in enumerate(parts):
            folder.write(layout.plan_part(round_, number), part.read_bytes())
            problems += _count_problems(part)
        index = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(self._rows, UNIT_SCHEMA), index)
        folder.write(layout.plan_index(round_), index.getvalue().to_pybytes())
        return PlanSummary(
            digest=self.digest,
            units=len(self._rows),
            records=sum(int(str(row["records"])) for row in self._rows),
            bytes=sum(int(str(row["bytes"])) for row in self._rows),
            problems=problems,
        )

    def _roll(self, part: int | None) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        if part is not None:
            self._writer = pq.ParquetWriter(self._spool / f"{part:05d}.parquet", RECORD_SCHEMA)

    def _collisions(self) -> np.ndarray:
        if not self._names:
            return np.empty(0, np.uint64)
        values, counts = np.unique(np.concatenate(self._names), return_counts=True)
        return values[counts > 1]

    def _mark(self, part: Path, colliding: np.ndarray, seen: set[int]) -> None:
        """Give every record but the first of a colliding output name a problem."""
        source = pq.ParquetFile(part)
        groups = [_from_table(source.read_row_group(number)) for number in range(source.num_row_groups)]
        source.close()
        with pq.ParquetWriter(part, RECORD_SCHEMA) as writer:
            for records in groups:
                marked = []
                for record in records:
                    name = self._output_name(record)
                    value = _name_hash(name)
                    if value in colliding and value in seen and not record.problem:
                        problem = (
                            f"duplicate_name: a record before it has the same output name {name!r} (upper and lower "
                            "case count as the same); rename one of the two, or put {key} into `output.name`"
                        )
                        record = replace(record, problem=problem)  # noqa: PLW2901
                    seen.add(value)
                    marked.append(record)
                writer.write_table(_to_table(marked), row_group_size=len(marked))


def write_plan(
    units: Iterable[Unit], output_name: Callable[[Record], str], deliver: Callable[[PlanWriter], PlanSummary]
) -> PlanSummary:
    """Spool all units, then let `deliver` finish the writer (it knows the run's folder only once all is hashed)."""
    with tempfile.TemporaryDirectory(prefix="facejobs-plan-") as spool:
        writer = PlanWriter(Path(spool), output_name)
        for unit in units:
            writer.add(unit)
        return deliver(writer)


def read_refs(folder: Folder, round_: int) -> Iterator[UnitRef]:
    """All units of a round, in order."""
    name = layout.plan_index(round_)
    with intact(folder, name, START_AGAIN, needed=True):
        table = pq.read_table(pa.BufferReader(folder.read(name)))
    for batch in table.to_batches(max_chunksize=4096):
        for row in batch.to_pylist():
            yield UnitRef(row["unit_id"], row["index"], round_, row["part"], row["row_group"], row["records"])


class PlanReader:
    """Reads units' records; keeps the last file open, since a worker's units are mostly neighbours."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._name = ""
        self._file: pq.ParquetFile | None = None

    def unit(self, ref: UnitRef) -> Unit:
        """The unit with its records."""
        name = layout.plan_part(ref.round, ref.part)
        with intact(self._folder, name, START_AGAIN, needed=True):
            if self._file is None or self._name != name:
                self._file = pq.ParquetFile(pa.BufferReader(self._folder.read(name)))
                self._name = name
            return Unit(ref.unit_id, ref.index, tuple(_from_table(self._file.read_row_group(ref.row_group))))


def _name_hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _count_problems(part: Path) -> int:
    column = pq.read_table(part, columns=["problem"]).column("problem")
    return sum(1 for value in column if value.as_py())


def _to_table(records: Iterable[Record]) -> pa.Table:
    rows = [
        {
            "key": record.key,
            "uri": record.uri,
            "version": record.version,
            "size": record.size,
            "offset": record.offset,
            "row": record.row,
            "metadata": json.dumps(dict(record.metadata)) if record.metadata else "",
            "problem": record.problem,
        }
        for record in records
    ]
    return pa.Table.from_pylist(rows, RECORD_SCHEMA)


def _from_table(table: pa.Table) -> list[Record]:
    rows = table.to_pylist()
    for row in rows:
        row["metadata"] = json.loads(row["metadata"]) if row["metadata"] else {}
    return [Record(**row) for row in rows]
