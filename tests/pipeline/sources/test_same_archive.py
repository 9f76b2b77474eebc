"""One archive in every form and place gives the same keys and the same bytes."""

from __future__ import annotations

import csv
import io
import json
import random
import tarfile
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder

KEYS = ("a/1.jpg", "a/2.tif", "a-b/3.png", "a.v2.jpg", "b/été 007.jp2", "empty.jpg", "z/deep/er/9.JPG")


def archive() -> dict[str, bytes]:
    source = random.Random(7)
    return {key: b"" if key.startswith("empty") else source.randbytes(source.randrange(1, 40_000)) for key in KEYS}


def as_files(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    for key, data in images.items():
        place.write(key, data)
    return SourceSpec("files", place.uri, place.options)


def as_glob(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    as_files(place, images)
    return SourceSpec("files", f"{place.uri}/**", place.options)


def tar_of(images: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for key, data in images.items():
            member = tarfile.TarInfo(f"./{key}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def halves(images: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    items = list(images.items())
    return [dict(items[:3]), dict(items[3:])]


def as_tars(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    for number, half in enumerate(halves(images)):
        place.write(f"shard-{number}.tar", tar_of(half))
    return SourceSpec("webdataset", f"{place.uri}/shard-*.tar", place.options)


def parquet_of(columns: Mapping[str, list[object]], types: Mapping[str, pa.DataType]) -> bytes:
    buffer = pa.BufferOutputStream()
    table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
    pq.write_table(table, buffer, row_group_size=2)
    return buffer.getvalue().to_pybytes()


def as_parquet(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    for number, half in enumerate(halves(images)):
        columns = {"name": list(half), "data": list(half.values())}
        place.write(f"part-{number}.parquet", parquet_of(columns, {"name": pa.string(), "data": pa.binary()}))
    return SourceSpec("parquet", place.uri, place.options, bytes_column="data", key_column="name")


def as_huggingface(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    rows = [{"bytes": data, "path": key} for key, data in images.items()]
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    place.write("train.parquet", parquet_of({"image": rows}, {"image": image}))
    return SourceSpec("parquet", f"{place.uri}/train.parquet", place.options)


def as_uri_parquet(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    as_files(place.child("images"), images)
    uris = [f"images/{key}" for key in images]
    columns = {"where": uris, "name": list(images)}
    place.write("catalogue.parquet", parquet_of(columns, {"where": pa.string(), "name": pa.string()}))
    uri = f"{place.uri}/catalogue.parquet"
    return SourceSpec("parquet", uri, place.options, uri_column="where", key_column="name")


def as_csv(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    as_files(place, images)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["uri", "title"])
    writer.writerows([key, "a, b"] for key in images)
    place.write("catalogue.csv", text.getvalue().encode("utf-8-sig"))
    return SourceSpec("manifest", f"{place.uri}/catalogue.csv", place.options)


def as_jsonl(place: Folder, images: Mapping[str, bytes]) -> SourceSpec:
    as_files(place, images)
    lines = [json.dumps({"uri": f"{place.uri}/{key}", "id": key}) for key in images]
    place.write("lists/catalogue.jsonl", "\n".join(lines).encode())
    return SourceSpec("manifest", f"{place.uri}/lists/catalogue.jsonl", place.options, key_column="id")


FORMS = (as_files, as_glob, as_tars, as_parquet, as_huggingface, as_uri_parquet, as_csv, as_jsonl)


@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
def test_same_keys_and_bytes(place: Folder, write: Callable[[Folder, Mapping[str, bytes]], SourceSpec]) -> None:
    images = archive()
    spec = write(place, images)
    records = list(list_records(spec))
    assert sorted(record.key for record in records) == sorted(KEYS)
    assert [record.problem for record in records] == [""] * len(records)
    reader = make_reader(spec)
    assert {record.key: reader.read(record) for record in records} == images
    assert list(list_records(spec)) == records
    for record in records:
        assert record.size in {-1, len(images[record.key])}
