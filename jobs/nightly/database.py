"""Tables larger than memory, for as long as a command runs: DuckDB on a scratch folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

MEMORY = "1GB"
"""What DuckDB holds before it goes to the scratch folder; a million records need about half of it."""


@dataclass(frozen=True)
class Database:
    """A connection and a folder for files that belong to it.

    Attributes:
        sql: the connection.
        folder: empty at the beginning, gone at the end.
    """

    sql: duckdb.DuckDBPyConnection
    folder: Path

    def load(self, table: str, schema: pa.Schema, batches: Iterable[pa.Table]) -> None:
        """Make a table of Arrow tables, without ever holding more than one of them.

        Args:
            table: its name; one that is there is replaced.
            schema: of all of them.
            batches: rows.
        """
        spool = self.folder / f"{table}.parquet"
        with pq.ParquetWriter(spool, schema) as writer:
            for batch in batches:
                writer.write_table(batch.cast(schema))
        self.read(table, spool)
        spool.unlink()

    def read(self, table: str, *files: Path) -> None:
        """Make a table of local Parquet files."""
        self.sql.execute(
            f"create or replace table {table} as select * from read_parquet(?, union_by_name = true)",  # noqa: S608
            [[str(file) for file in files]],
        )

    def count(self, query: str) -> int:
        """The number that a query gives."""
        row = self.sql.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def rows(self, query: str, size: int = 4096) -> Iterator[dict[str, object]]:
        """The rows of a query, some thousands in memory at once."""
        cursor = self.sql.cursor()
        try:
            found = cursor.execute(query)
            names = [column[0] for column in found.description or ()]
            while batch := found.fetchmany(size):
                for row in batch:
                    yield dict(zip(names, row, strict=True))
        finally:
            cursor.close()


@contextmanager
def database() -> Iterator[Database]:
    """A database of this process's own."""
    with tempfile.TemporaryDirectory(prefix="facejobs-catalogue-") as scratch:
        folder = Path(scratch)
        connection = duckdb.connect(str(folder / "tables.duckdb"))
        try:
            connection.execute(f"set memory_limit = '{MEMORY}'")
            connection.execute("set threads = 2")
            connection.execute("set temp_directory = ?", [str(folder / "spill")])
            connection.execute("set TimeZone = 'UTC'")
            yield Database(connection, folder)
        finally:
            connection.close()
