"""Where records of pairs lie: beside the pairs, in their shards, and in the tables of a run."""

from __future__ import annotations

import heapq
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import CommandError
from jobs.exits import Exit
from pipeline import layout
from pipeline.keyset import hash64
from pipeline.parts import read_parts
from pipeline.quarantine import standing_commits
from pipeline.run import Run
from pipeline.storage import Folder, filesystem

Found = tuple[str, Callable[[], bytes]]
"""A pair's key, and what gives its record; to be called before the next one is asked for."""

Records = AbstractContextManager[Iterator[Found]]
Opener = Callable[[str, Mapping[str, Any]], Records]


def opener_of(place: str) -> Opener | None:
    """What reads the records of a file or of an LMDB folder, by its ending; None for all else, which may be a run."""
    return OPENERS.get(PurePosixPath(place.rstrip("/")).suffix.lower())


def by_key(found: Iterator[Found], keys: list[str], place: str) -> dict[str, bytes]:
    """Records of named pairs.

    Raises:
        CommandError: one is not there; the message names some that are.
    """
    wanted, records, others = set(keys), dict[str, bytes](), list[str]()
    for key, load in found:
        if key in wanted:
            records[key] = load()
            if len(records) == len(wanted):
                return records
        elif len(others) < 3:
            others.append(key)
    absent = ", ".join(key for key in keys if key not in records)
    there = f"there are {', '.join(others)} and so on" if others else "there is no other pair"
    raise CommandError(f"{place}: no pair {absent}; {there}", Exit.USAGE)


def chosen(found: Iterator[Found], count: int, seed: int) -> dict[str, bytes]:
    """Records of some pairs, chosen by a hash of seed and key: the same ones whatever the order they come in."""
    heap: list[tuple[int, str, bytes]] = []
    for key, load in found:
        rank = -hash64(f"{seed}\0{key}")
        if len(heap) < count:
            heapq.heappush(heap, (rank, key, load()))
        elif rank > heap[0][0]:
            heapq.heapreplace(heap, (rank, key, load()))
    return {key: data for _, key, data in sorted(heap, reverse=True)}


def of_run(run: Run) -> Iterator[Found]:
    """Records in the tables of a run, finished or not."""
    parts = (
        part for commit, _ in standing_commits(run) for part in commit.tables if layout.table_of(part.path) == "pairs"
    )
    for table in read_parts(run.folder, parts):
        yield from _rows(table)


@contextmanager
def _json(place: str, options: Mapping[str, Any]) -> Iterator[Iterator[Found]]:
    with _opened(place, options) as file:
        data = file.read()
    try:
        key = str(json.loads(data)["key"])
    except (ValueError, KeyError, TypeError):
        key = PurePosixPath(place).stem  # what is wrong with it is said by whoever reads it as a record
    yield iter([(key, _kept(data))])


@contextmanager
def _tar(place: str, options: Mapping[str, Any]) -> Iterator[Iterator[Found]]:
    try:
        with _opened(place, options) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield _members(tar)
    except tarfile.TarError as error:
        raise _damaged(place, "tar", error) from error


def _members(tar: tarfile.TarFile) -> Iterator[Found]:
    for member in tar:
        if member.isfile() and member.name.endswith(".json"):
            file = tar.extractfile(member)
            assert file is not None
            yield PurePosixPath(member.name).name.removesuffix(".json"), file.read


@contextmanager
def _parquet(place: str, options: Mapping[str, Any]) -> Iterator[Iterator[Found]]:
    try:
        with _opened(place, options) as file, pq.ParquetFile(file) as table:
            absent = {"key", "record"} - set(table.schema_arrow.names)
            if absent:
                raise CommandError(
                    f"{place}: has no column {' or '.join(sorted(absent))}, expected a shard that a pairs job wrote",
                    Exit.USAGE,
                )
            batches = table.iter_batches(batch_size=256, columns=["key", "record"], use_threads=False)
            yield (found for batch in batches for found in _rows(pa.Table.from_batches([batch])))
    except pa.ArrowException as error:
        raise _damaged(place, "Parquet", error) from error


def _rows(table: pa.Table) -> Iterator[Found]:
    records = table["record"]
    for row, key in enumerate(table["key"].to_pylist()):
        yield key, _cell(records, row)


def _cell(records: pa.ChunkedArray, row: int) -> Callable[[], bytes]:
    return lambda: bytes(records[row].as_py().encode())


def _kept(data: bytes) -> Callable[[], bytes]:
    return lambda: bytes(data)


@contextmanager
def _lmdb(place: str, options: Mapping[str, Any]) -> Iterator[Iterator[Found]]:
    import lmdb  # noqa: PLC0415  for those who have such a folder

    with tempfile.TemporaryDirectory(prefix="facejobs-") as scratch, _reading(place):
        path = Path(place)
        if not path.is_dir():
            path = Path(scratch)
            (path / "data.mdb").write_bytes(Folder(place, options).read("data.mdb"))
        try:
            with lmdb.open(str(path), readonly=True, lock=False, create=False) as store, store.begin() as reading:
                yield ((bytes(key).decode(), _kept(data)) for key, data in reading.cursor())
        except lmdb.Error as error:
            raise _damaged(place, "LMDB folder", error) from error


@contextmanager
def _opened(place: str, options: Mapping[str, Any]) -> Iterator[Any]:
    with _reading(place):
        fs, path = filesystem(place, options)
        with fs.open(path, "rb") as file:
            yield file


@contextmanager
def _reading(place: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CommandError(f"{place}: there is no such object; check the spelling", Exit.USAGE) from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise CommandError(f"{place}: a folder or a part of one, expected a file", Exit.USAGE) from error


def _damaged(place: str, form: str, error: Exception) -> CommandError:
    return CommandError(f"{place}: cannot be read as {form} ({error})", Exit.USAGE)


OPENERS: Mapping[str, Opener] = {".json": _json, ".tar": _tar, ".parquet": _parquet, ".lmdb": _lmdb}
