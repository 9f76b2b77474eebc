"""Table parts: what one unit adds to the run's tables, each an object of its own that its commit names by SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.errors import LedgerError
from pipeline.fetching import fetched
from pipeline.intact import intact
from pipeline.plan import UnitRef
from pipeline.records import Output
from pipeline.storage import Folder

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
"""The table of outputs, which every run has; a job kind's own tables come beside it."""

UNLIKE = frozenset({"path", "sha256", "key", "uri"})
"""Columns in which hardly a value comes twice."""


def dictionaries(schema: pa.Schema) -> list[str]:
    """Columns for which Parquet should try a dictionary: words. For numbers and hashes it costs a third of the time."""
    return [field.name for field in schema if pa.types.is_string(field.type) and field.name not in UNLIKE]


def outputs_table(unit_id: str, outputs: Sequence[Output]) -> pa.Table:
    """A unit's rows of the table of outputs."""
    return pa.Table.from_pylist([{**asdict(output), "unit_id": unit_id} for output in outputs], OUTPUT_SCHEMA)


def outputs_of(table: pa.Table) -> list[Output]:
    """The reverse of `outputs_table`."""
    return [Output(**row) for row in table.drop_columns(["unit_id"]).to_pylist()]


def write_part(folder: Folder, ref: UnitRef, attempt: int, name: str, rows: pa.Table) -> Output:
    """Put a unit's rows of a table under a name that holds the attempt; gives what the commit has to name.

    Args:
        folder: the run's own folder.
        ref: the unit.
        attempt: which try at it.
        name: the table's.
        rows: may be empty.
    """
    buffer = pa.BufferOutputStream()
    pq.write_table(rows, buffer, compression="zstd", use_dictionary=dictionaries(rows.schema), write_statistics=False)
    data = buffer.getvalue().to_pybytes()
    path = layout.table_part(name, ref.round, ref.index, ref.unit_id, attempt)
    folder.write(path, data)
    return Output(path, len(data), hashlib.sha256(data).hexdigest(), "table")


def read_part(folder: Folder, part: Output) -> pa.Table:
    """A part that a commit names. Raises LedgerError when it is gone or holds other bytes."""
    owner = layout.owner_of(part.path)
    unit = f"commits/{owner.unit}*.json" if owner else "of its unit"
    advice = f"remove the commit ({unit}) and run the job again, which does its unit again"
    with intact(folder, part.path, advice, needed=True):
        data = folder.read(part.path)
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise LedgerError(f"{folder.uri}/{part.path}: other bytes than its commit names; {advice}")
        return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)


def read_parts(folder: Folder, parts: Iterable[Output]) -> Iterator[pa.Table]:
    """Parts in the order given; the next ones are fetched meanwhile."""
    return fetched(lambda part: read_part(folder, part), parts)
