"""Parquet tables of images: columns, keys, metadata, nulls, row groups, threads."""

from __future__ import annotations

import datetime
import decimal
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RecordError, SourceError
from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder


def write(folder: Folder, name: str, table: pa.Table, rows: int = 2) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, row_group_size=rows)
    folder.write(name, buffer.getvalue().to_pybytes())


@pytest.fixture
def local(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "tables"))


def spec_of(folder: Folder, **settings: str) -> SourceSpec:
    return SourceSpec("parquet", folder.uri, folder.options, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.struct([("bytes", pa.large_binary()), ("path", pa.string())])]
)
def test_rows_in_any_order_and_from_threads(place: Folder, kind: pa.DataType) -> None:
    source = random.Random(1)
    images = [source.randbytes(source.randrange(1, 5000)) for _ in range(23)]
    values = [{"bytes": data, "path": "x"} for data in images] if pa.types.is_struct(kind) else images
    table = pa.table({"n": [f"{index}.png" for index in range(23)], "image": pa.array(values, kind)})
    write(place, "a.parquet", table.slice(0, 10), rows=3)
    write(place, "b.parquet", table.slice(10), rows=4)
    spec = spec_of(place, key_column="n")
    records = list(list_records(spec))
    assert [record.key for record in records] == [f"{index}.png" for index in range(23)]
    assert [record.row for record in records] == [*range(10), *range(13)]
    reader = make_reader(spec)
    order = list(range(23))
    source.shuffle(order)
    assert [reader.read(records[index]) for index in order] == [images[index] for index in order]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda index: reader.read(records[index]), order)) == [images[index] for index in order]


def test_plain_columns_are_metadata(local: Folder) -> None:
    table = pa.table(
        {
            "id": pa.array([7, 2**40]),
            "image": pa.array([b"a", b"b"]),
            "thumb": pa.array([b"x", b"y"]),
            "title": pa.array(["Plate", None]),
            "score": pa.array([0.5, float("nan")]),
            "taken": pa.array([datetime.date(1927, 10, 29), None]),
            "price": pa.array([decimal.Decimal("1.50"), None]),
            "ok": pa.array([True, False]),
            "tags": pa.array([["a"], []]),
            "place": pa.array(["Leipzig", "Brussels"]).dictionary_encode(),
        }
    )
    write(local, "a.parquet", table)
    records = list(list_records(spec_of(local, key_column="id")))
    assert [record.key for record in records] == ["7", str(2**40)]
    assert [dict(record.metadata) for record in records] == [
        {"title": "Plate", "score": 0.5, "taken": "1927-10-29", "price": "1.50", "ok": True, "place": "Leipzig"},
        {"title": None, "score": None, "taken": None, "price": None, "ok": False, "place": "Brussels"},
    ]


def test_nulls_and_empty_keys(local: Folder) -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [
        None,
        {"bytes": None, "path": "b.jpg"},
        {"bytes": b"c", "path": None},
        {"bytes": b"", "path": "d.jpg"},
        {"bytes": b"e", "path": ""},
    ]
    write(local, "a.parquet", pa.table({"image": pa.array(rows, image)}))
    records = list(list_records(spec_of(local)))
    assert [record.key for record in records] == [
        "a.parquet#row0",
        "b.jpg",
        "a.parquet#row2",
        "d.jpg",
        "a.parquet#row4",
    ]
    assert [record.problem.partition(":")[0] for record in records] == ["no_key", "", "no_key", "", "no_key"]
    reader = make_reader(spec_of(local))
    assert reader.read(records[3]) == b""
    with pytest.raises(RecordError) as caught:
        reader.read(records[1])
    assert caught.value.code == "null_image"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no column 'image'; set `source.bytes_column` to one of: name, data, size"),
        ({"bytes_column": "data"}, "set `source.key_column` to one of: name, data, size"),
        ({"bytes_column": "data", "key_column": "nome"}, "no column 'nome'"),
        ({"bytes_column": "size", "key_column": "name"}, "'size' is int64, expected binary"),
        ({"bytes_column": "name", "key_column": "name"}, "source.uri_column"),
        ({"uri_column": "url"}, "no column 'url'; set `source.uri_column` to one of"),
    ],
)
def test_wrong_columns_are_named(local: Folder, settings: dict[str, str], said: str) -> None:
    write(local, "a.parquet", pa.table({"name": ["a.jpg"], "data": [b"a"], "size": [1]}))
    with pytest.raises(SourceError) as caught:
        list(list_records(spec_of(local, **settings)))
    assert said in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"text" * 100])
def test_a_broken_file_is_a_problem_and_the_next_is_listed(local: Folder, data: bytes) -> None:
    local.write("a.parquet", data)
    write(local, "b.parquet", pa.table({"name": ["b.jpg"], "image": [b"b"]}))
    broken, good = list_records(spec_of(local, key_column="name"))
    assert broken.problem.startswith("broken_shard: ")
    assert "a.parquet" in broken.problem
    assert (good.key, good.problem) == ("b.jpg", "")


@pytest.mark.parametrize("column", ["name", "image"])
def test_damaged_pages(local: Folder, column: str) -> None:
    write(local, "a.parquet", pa.table({"name": ["a.jpg", "b.jpg"], "image": [b"a" * 5000, b"b" * 5000]}))
    data = bytearray(local.read("a.parquet"))
    index = ["name", "image"].index(column)
    chunk = pq.ParquetFile(Path(local.uri) / "a.parquet").metadata.row_group(0).column(index)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    data[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    local.write("a.parquet", bytes(data))
    spec = spec_of(local, key_column="name")
    records = list(list_records(spec))
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(records[0])
    assert caught.value.code == ("broken_shard" if column == "name" else "unreadable")


def test_a_changed_file_and_a_missing_row(local: Folder) -> None:
    write(local, "a.parquet", pa.table({"name": ["a.jpg"], "image": [b"a"]}))
    spec = spec_of(local, key_column="name")
    (record,) = list_records(spec)
    write(local, "a.parquet", pa.table({"name": ["a.jpg"], "image": [b"another one"]}))
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(record)
    assert caught.value.code == "source_changed"
    local.delete("a.parquet")
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(record)
    assert caught.value.code == "missing"


def test_too_large(local: Folder) -> None:
    write(local, "a.parquet", pa.table({"name": ["a.jpg"], "image": [b"a" * 100]}))
    spec = SourceSpec("parquet", local.uri, key_column="name", max_bytes=99)
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(next(list_records(spec)))
    assert caught.value.code == "too_large"


@pytest.mark.s3
def test_the_bytes_column_is_fetched_only_to_be_read(s3, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3fs.core import S3File

    folder = Folder(s3.bucket("columns"), s3.options)
    images = [random.Random(index).randbytes(2**20) for index in range(8)]
    write(folder, "a.parquet", pa.table({"name": [f"{index}.jpg" for index in range(8)], "image": images}))
    fetched: list[int] = []
    original = S3File._fetch_range

    def counting(self: S3File, start: int, end: int) -> bytes:
        data = original(self, start, end)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(S3File, "_fetch_range", counting)
    spec = spec_of(folder, key_column="name")
    records = list(list_records(spec))
    assert 0 < sum(fetched) < 2**18
    assert len(fetched) < 20
    fetched.clear()
    reader = make_reader(spec)
    assert [reader.read(record) for record in records[2:4]] == images[2:4]
    assert 2 * 2**20 < sum(fetched) < 3 * 2**20
