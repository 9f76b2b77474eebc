"""Reads pairs back out of the tars that units wrote, in any order, with a few of them on the local disk."""

from __future__ import annotations

import hashlib
import heapq
import shutil
import sqlite3
import tarfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.pairs.formats.finals import SCRATCH
from jobs.pairs.formats.index import IndexedPair, Part
from jobs.pairs.formats.members import field_of, pair_of
from pipeline import layout
from pipeline.errors import LedgerError
from pipeline.run import Run
from pipeline.sinks.writing import writing_errors
from pipeline.storage import Folder, persistent

OPEN_FILES = 64
CHUNK = 2**20


class GoneError(Exception):
    """A part is not there: an earlier end of the run has swept it away, or it was lost."""


class Parts:
    """The parts of one split; a part is fetched when its first pair is asked for and dropped after its last.

    Where shards hold runs of names, one part at a time lies on the disk; where they do not, all of the split do.

    Args:
        run: the run.
        parts: what commits name, by path.
        last: the last name that each part holds.
        scratch: a folder of its own.
        members: an open database for the places of what the fetched parts hold.
    """

    def __init__(
        self, run: Run, parts: Mapping[str, Part], last: Mapping[str, str], scratch: Path, members: sqlite3.Connection
    ) -> None:
        self._run = run
        self._parts = parts
        self._last = last
        self._scratch = scratch
        self._members = members
        members.execute("CREATE TABLE members (key, field, start, size, PRIMARY KEY (key, field)) WITHOUT ROWID")
        self._local: dict[str, Path] = {}
        self._ends: list[tuple[str, str]] = []
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._gone: set[str] = set()

    def read(self, pair: IndexedPair) -> dict[str, bytes]:
        """A pair's files by field, for pairs asked for in the order of their names.

        Raises:
            GoneError: the part is not there.
            LedgerError: the part has other bytes than its commit names, or lacks the pair.
        """
        while self._ends and self._ends[0][0] < pair.key:
            self._drop(heapq.heappop(self._ends)[1])
            self._members.execute("DELETE FROM members WHERE key < ?", (pair.key,))
        if pair.part in self._gone:
            raise GoneError(pair.part)
        if pair.part not in self._local:
            self._fetch(pair.part)
        rows = self._members.execute("SELECT field, start, size FROM members WHERE key = ?", (pair.key,)).fetchall()
        if not rows:
            raise LedgerError(self._damaged(pair.part, f"pair {pair.key} is not in it"))
        file = self._file(pair.part)
        found = {}
        for field, start, size in rows:
            file.seek(start)
            found[str(field)] = file.read(size)
        return found

    def close(self) -> None:
        """Let files go."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _fetch(self, path: str) -> None:
        local = self._scratch / f"{len(self._local):06d}-{Path(path).name}"
        try:
            found = download(self._run.outputs, path, local)
        except FileNotFoundError as error:
            self._gone.add(path)
            raise GoneError(path) from error
        if found != self._parts[path].output.sha256:
            raise LedgerError(self._damaged(path, "it has other bytes than its commit names"))
        with tarfile.open(local) as tar:
            self._members.executemany(
                "INSERT INTO members VALUES (?, ?, ?, ?)",
                ((pair_of(one.name), field_of(one.name), one.offset_data, one.size) for one in tar),
            )
        self._local[path] = local
        heapq.heappush(self._ends, (self._last[path], path))

    def _drop(self, path: str) -> None:
        if (file := self._open.pop(path, None)) is not None:
            file.close()
        self._local[path].unlink()

    def _file(self, path: str) -> BinaryIO:
        if (file := self._open.pop(path, None)) is None:
            file = self._local[path].open("rb")
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
        self._open[path] = file
        return file

    def _damaged(self, path: str, found: str) -> str:
        return f"{self._run.outputs.uri}/{path}: {found}; {advice(self._run, self._parts[path].unit_id)}"


def advice(run: Run, unit_id: str) -> str:
    """What to do about a part that is not as a unit wrote it."""
    mark = layout.commit_mark(unit_id)
    return f"remove {run.folder.uri}/{mark} and run the job again, which does its unit again"


@contextmanager
def opened(run: Run, parts: Mapping[str, Part], last: Mapping[str, str], scratch: Path) -> Iterator[Parts]:
    """The parts of a split, in a temporary folder."""
    scratch.mkdir()
    with closing(sqlite3.connect(scratch / "members.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        reader = Parts(run, parts, last, scratch, database)
        try:
            yield reader
        finally:
            reader.close()
            shutil.rmtree(scratch, ignore_errors=True)


@persistent
def download(folder: Folder, name: str, local: Path) -> str:
    """Copy an object to the local disk; gives its SHA-256. Raises FileNotFoundError."""
    digest = hashlib.sha256()
    with folder.fs.open(folder.path(name), "rb") as source, local.open("wb") as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            with writing_errors(name, SCRATCH):
                target.write(chunk)
    return digest.hexdigest()
