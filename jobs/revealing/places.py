"""Where pictures and the records beside them lie: loose files, shards, and whole outputs."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.locate import is_job_file, locate
from pipeline.errors import NoSuchRunError
from pipeline.history import chain_of
from pipeline.layout import HOME
from pipeline.records import Output
from pipeline.run import Run
from pipeline.storage import Folder

SHARDS = (".tar", ".parquet")
_SHARD = frozenset({("key", "BYTE_ARRAY"), ("image.bytes", "BYTE_ARRAY"), ("record", "BYTE_ARRAY")})
"""Columns of a table that a run writes."""


@dataclass(frozen=True)
class Kept:
    """A record, and how to get the picture that it tells of.

    Attributes:
        name: what messages call it.
        record: its JSON.
        picture: gives the picture's bytes; FileNotFoundError where there is none.
        problem: what is wrong with the record already; empty when nothing is.
    """

    name: str
    record: bytes
    picture: Callable[[], bytes]
    problem: str = ""


def kept_at(place: str) -> Iterator[Kept]:
    """All records of a place.

    Args:
        place: a record (`.json`), a picture with its record beside it, a shard (`.tar`, `.parquet`), a job file, or the
            path or URL of an output.

    Raises:
        CommandError: there is no such thing.
        StorageError: storage unreachable or refusing.
    """
    name = PurePosixPath(place.rstrip("/")).name
    holder = Folder(place.rstrip("/")[: -len(name)] or ".")
    if place.lower().endswith((".yaml", ".yml")):
        yield from _of_run(locate(place).run)
    elif place.lower().endswith(".json"):
        yield _loose(holder, name, _read(holder, name, place))
    elif place.lower().endswith(SHARDS):
        yield from _of_shard(place, name, _read(holder, name, place))
    elif holder.exists(f"{name}.json"):
        yield _loose(holder, f"{name}.json", holder.read(f"{name}.json"))
    elif is_job_file(place):
        raise CommandError(f"{place}: there is no record {name}.json beside it, so nothing to reveal", Exit.USAGE)
    else:
        yield from _of_output(place)


def _read(holder: Folder, name: str, place: str) -> bytes:
    try:
        return holder.read(name)
    except FileNotFoundError as error:
        raise CommandError(f"{place}: there is no such file", Exit.USAGE) from error


def _loose(folder: Folder, name: str, record: bytes, problem: str = "") -> Kept:
    return Kept(name, record, lambda: folder.read(name.removesuffix(".json")), problem)


def _of_output(place: str) -> Iterator[Kept]:
    try:
        run = locate(place).run
    except NoSuchRunError:
        # A copy of an output without its ledger.
        folder = Folder(place)
        names = [name for name in folder.names() if name.endswith(".json") and not name.startswith(f"{HOME}/")]
        if not names:
            raise CommandError(f"{place}: there is no output, nor any record", Exit.NO_RUN) from None
        yield from (_loose(folder, name, folder.read(name)) for name in names)
        return
    yield from _of_run(run)


def _of_run(run: Run) -> Iterator[Kept]:
    """Records of a run and of those that it follows; each as its ledger knows it, or with what is wrong."""
    standing: dict[str, Output] = {}
    for one in chain_of(run):
        standing |= {output.path: output for output in one.ledger.all_outputs(ref.unit_id for ref in one.refs())}
    folder = run.outputs
    for path in sorted(standing):
        if standing[path].role not in ("record", "shard"):
            continue
        try:
            data = folder.read(path)
        except FileNotFoundError:
            yield Kept(path, b"", bytes, "it is missing")
            continue
        changed = hashlib.sha256(data).hexdigest() != standing[path].sha256
        problem = "it is not what the run has written: its SHA-256 differs from the ledger's" if changed else ""
        if standing[path].role == "record":
            yield _loose(folder, path, data, problem)
        elif problem:
            yield Kept(path, b"", bytes, problem)
        else:
            yield from _of_shard(path, path, data)


def _of_shard(place: str, name: str, data: bytes) -> Iterator[Kept]:
    try:
        yield from _of_tar(name, data) if name.lower().endswith(".tar") else _of_table(name, data)
    except (tarfile.TarError, pa.ArrowException, KeyError, ValueError, OSError) as error:  # OSError is Arrow's too
        raise CommandError(f"{place}: is no shard of an output ({error})", Exit.USAGE) from error


def _of_tar(name: str, data: bytes) -> Iterator[Kept]:
    with tarfile.open(fileobj=pa.BufferReader(data), mode="r:") as tar:
        members = {member.name: member for member in tar if member.isfile()}

        def read(member: tarfile.TarInfo) -> bytes:
            file = tar.extractfile(member)
            assert file is not None
            return file.read()

        for record in [one for one in members if one.endswith(".json")]:
            stem = record.removesuffix("json")
            pictures = [
                one for one in members if one.startswith(stem) and one != record and "/" not in one[len(stem) :]
            ]
            yield Kept(f"{name}: {record}", read(members[record]), _picture_of(pictures, members, read))


def _picture_of(
    names: list[str], members: Mapping[str, tarfile.TarInfo], read: Callable[[tarfile.TarInfo], bytes]
) -> Callable[[], bytes]:
    def picture() -> bytes:
        if len(names) != 1:
            raise FileNotFoundError
        return read(members[names[0]])

    return picture


def _of_table(name: str, data: bytes) -> Iterator[Kept]:
    table = pq.ParquetFile(pa.BufferReader(data))
    if not _SHARD.issubset({(column.path, column.physical_type) for column in table.schema}):
        raise ValueError("it has no columns key, image with bytes, and record")
    for batch in table.iter_batches(batch_size=1, columns=["key", "image", "record"], use_threads=False):
        row: dict[str, Any] = batch.to_pylist()[0]
        if row["record"] is not None:
            record = row["record"] if isinstance(row["record"], bytes) else row["record"].encode()
            yield Kept(f"{name}: {row['key']}", record, _image_of(row))


def _image_of(row: Mapping[str, Any]) -> Callable[[], bytes]:
    def picture() -> bytes:
        if row["image"] is None or row["image"]["bytes"] is None:
            raise FileNotFoundError
        return bytes(row["image"]["bytes"])

    return picture
