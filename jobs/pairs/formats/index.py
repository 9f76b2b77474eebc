"""All pairs of a run in the order of their names, kept on disk: there may be more than memory holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.pairs.formats.finals import SCRATCH
from jobs.pairs.tables import PAIRS
from pipeline import layout
from pipeline.errors import StorageError
from pipeline.fetching import fetched
from pipeline.finals import PART
from pipeline.ledger import Commit
from pipeline.parts import read_part
from pipeline.records import Output
from pipeline.run import Run

CACHE_KIB = 64 * 1024
"""Memory that SQLite may use before it sorts on disk."""

COLUMNS = ("key", "split", "degraded_width", "degraded_height", "target_width", "target_height")
assert set(COLUMNS) <= set(PAIRS.names)


@dataclass(frozen=True, slots=True)
class IndexedPair:
    """A pair's place.

    Attributes:
        key: its name.
        degraded: width and height.
        target: width and height.
        part: path of the object that holds it, where a unit becomes one that only serves; else empty.
    """

    key: str
    degraded: tuple[int, int]
    target: tuple[int, int]
    part: str


@dataclass(frozen=True, slots=True)
class Part:
    """What a unit wrote only to have something made of it.

    Attributes:
        output: as the unit's commit names it.
        unit_id: the unit.
    """

    output: Output
    unit_id: str


class PairIndex:
    """Reads the run's table of pairs once, part by part; then gives them split by split."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.parts: dict[str, Part] = {}

    def read(self, run: Run) -> None:
        """Take in what the run's commits name.

        Raises:
            LedgerError: a table part is gone or damaged.
        """
        self._database.execute("CREATE TABLE pairs (key, split, dw, dh, tw, th, part)")
        commits = run.ledger.commits(ref.unit_id for ref in run.refs())
        for rows, part in fetched(lambda commit: _of_unit(run, commit), commits):
            if part is not None:
                self.parts[part.output.path] = part
            path = part.output.path if part is not None else ""
            self._database.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?)", ((*row, path) for row in rows))

    def counts(self) -> dict[str, int]:
        """Number of pairs by split, splits by name."""
        found = self._database.execute("SELECT split, count(*) FROM pairs GROUP BY split ORDER BY split")
        return {str(split): int(count) for split, count in found}

    def pairs(self, split: str) -> Iterator[IndexedPair]:
        """A split's pairs, by the bytes of their names."""
        query = "SELECT key, dw, dh, tw, th, part FROM pairs WHERE split = ? ORDER BY key"
        for key, dw, dh, tw, th, part in self._database.execute(query, (split,)):
            yield IndexedPair(key, (dw, dh), (tw, th), part)

    def spans(self, split: str) -> dict[str, str]:
        """The last name, in their order, that each part of a split holds."""
        query = "SELECT part, max(key) FROM pairs WHERE split = ? GROUP BY part"
        return {str(part): str(key) for part, key in self._database.execute(query, (split,))}


@contextmanager
def indexed(run: Run, scratch: Path) -> Iterator[PairIndex]:
    """An index of a run's pairs in a file of a temporary folder.

    Raises:
        StorageError: the temporary folder is full, also while the index is used.
    """
    try:
        with closing(sqlite3.connect(scratch / "pairs.sqlite", isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            database.execute("BEGIN")
            index = PairIndex(database)
            index.read(run)
            yield index
    except sqlite3.OperationalError as error:
        raise StorageError(f"{SCRATCH}: SQLite cannot write there ({error})") from error


def _of_unit(run: Run, commit: Commit) -> tuple[list[tuple[object, ...]], Part | None]:
    """A unit's rows, and the part that holds its pairs if there is one."""
    rows: list[tuple[object, ...]] = []
    for part in commit.tables:
        if layout.table_of(part.path) == "pairs":
            table = read_part(run.folder, part)
            rows.extend(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))
    outputs = run.ledger.outputs(commit)
    parts = [Part(output, commit.unit_id) for output in outputs if output.role == PART]
    return rows, parts[0] if parts else None
