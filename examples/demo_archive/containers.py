"""The same archive as loose files, as WebDataset tars or as a Parquet table."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from demo_archive.catalogue import Entry

PICTURES_PER_SHARD = 6
ROWS_PER_GROUP = 4

Files = Iterable[tuple[Entry, bytes]]


def loose_files(files: Files) -> dict[str, bytes]:
    """The archive as it is: path to bytes."""
    return {entry.name: data for entry, data in files}


def _metadata(entry: Entry) -> dict[str, str]:
    return {"title": entry.about.title, "artist": entry.about.artist, "taken": entry.about.taken}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # TarInfo's own defaults hold no owner and the time 0, so equal pictures give equal bytes.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def webdataset(files: Files) -> dict[str, bytes]:
    """Tar shards of six pictures; each picture is followed by a .json member of the same key."""
    listed = list(files)
    shards = {}
    for first in range(0, len(listed), PICTURES_PER_SHARD):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for entry, data in listed[first : first + PICTURES_PER_SHARD]:
                _add(tar, entry.name, data)
                sidecar = json.dumps(_metadata(entry), ensure_ascii=False, sort_keys=True).encode()
                _add(tar, str(PurePosixPath(entry.name).with_suffix(".json")), sidecar)
        shards[f"archive-{first // PICTURES_PER_SHARD:06d}.tar"] = buffer.getvalue()
    return shards


def parquet(files: Files) -> dict[str, bytes]:
    """One Parquet file with the columns key, image (bytes), title, artist and taken; four rows a group."""
    rows = [{"key": entry.name, "image": data, **_metadata(entry)} for entry, data in files]
    text = [pa.field(name, pa.string()) for name in ("title", "artist", "taken")]
    schema = pa.schema([pa.field("key", pa.string()), pa.field("image", pa.binary()), *text])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer, row_group_size=ROWS_PER_GROUP, compression="zstd")
    return {"archive.parquet": buffer.getvalue()}


CONTAINERS: Mapping[str, Callable[[Files], dict[str, bytes]]] = MappingProxyType(
    {"files": loose_files, "webdataset": webdataset, "parquet": parquet}
)


def write(objects: Mapping[str, bytes], folder: Path) -> int:
    """Write objects below a folder and return how many were written.

    A file that already holds the same bytes is left alone: its modification time is part of what tells a run that its
    source has not changed.

    Raises:
        OSError: the folder cannot be made or written.
    """
    written = 0
    for name, data in objects.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == data:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written += 1
    return written


def strangers(objects: Mapping[str, bytes], folder: Path) -> list[str]:
    """Files below the folder that are none of the objects, relative and sorted."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name not in objects)
