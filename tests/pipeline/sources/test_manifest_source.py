"""Catalogues: formats, places that rows name, keys, bad rows."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RecordError, SourceError
from pipeline.records import Record
from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder


@pytest.fixture
def local(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "museum"))


def listed(folder: Folder, name: str, **settings: str | tuple[str, ...]) -> list[Record]:
    return list(list_records(SourceSpec("manifest", f"{folder.uri}/{name}", folder.options, **settings)))  # type: ignore[arg-type]


def test_identifiers_stay_text(local: Folder) -> None:
    local.write("c.csv", b'id,uri,year,note\n007,a.jpg,1927,"two\nlines, ""quoted"""\n008,b.jpg,,\n')
    one, two = listed(local, "c.csv", key_column="id")
    assert (one.key, two.key) == ("007", "008")
    assert dict(one.metadata) == {"year": "1927", "note": 'two\nlines, "quoted"'}
    assert dict(two.metadata) == {"year": "", "note": ""}
    assert one.uri == f"file://{local.uri}/a.jpg"
    assert (one.version, one.size) == ("", -1)


@pytest.mark.parametrize(
    "name", ["c.csv", "c.tsv", "c.jsonl", "c.ndjson", "c.parquet", "c.csv.gz", "c.jsonl.bz2", "C.CSV"]
)
def test_formats(local: Folder, name: str) -> None:
    rows = [{"uri": "x/ä.jpg", "n": "1"}, {"uri": "y.tif", "n": "2"}]
    plain = name.lower().removesuffix(".gz").removesuffix(".bz2")
    if plain.endswith((".csv", ".tsv")):
        mark = "\t" if plain.endswith(".tsv") else ","
        data = "\r\n".join(mark.join(line) for line in [["uri", "n"], *(list(row.values()) for row in rows)]).encode()
    elif plain.endswith(".parquet"):
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), buffer)
        data = buffer.getvalue().to_pybytes()
    else:
        data = "\n\n".join(json.dumps(row) for row in rows).encode()
    data = gzip.compress(data) if name.endswith(".gz") else bz2.compress(data) if name.endswith(".bz2") else data
    local.write(name, data)
    assert [(record.key, dict(record.metadata)) for record in listed(local, name)] == [
        ("x/ä.jpg", {"n": "1"}),
        ("y.tif", {"n": "2"}),
    ]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("box/../a.jpg", "a.jpg"),
        (" a.jpg ", "a.jpg"),
        ("s3://bucket/box/a.jpg", "box/a.jpg"),
        ("https://example.org/iiif/a.jpg?size=max#x", "iiif/a.jpg"),
        ("memory://other/a.jpg", "other/a.jpg"),
        ("HERE/box/a.jpg", "box/a.jpg"),
        ("file://HERE/box/a.jpg", "box/a.jpg"),
        ("file:///elsewhere/a.jpg", "elsewhere/a.jpg"),
    ],
)
def test_keys_follow_from_uris(local: Folder, written: str, key: str) -> None:
    local.write("c.csv", f"uri\n{written.replace('HERE', local.uri)}\n".encode())
    (record,) = listed(local, "c.csv", schemes=("s3", "https", "memory"))
    assert (record.key, record.problem) == (key, "")


def test_a_catalogue_in_a_folder_of_its_own(place: Folder) -> None:
    place.write("images/1/a.jpg", b"one")
    place.write("lists/c.csv", b"uri\n../images/1/a.jpg\n")
    spec = SourceSpec("manifest", f"{place.uri}/lists/c.csv", place.options)
    (record,) = list_records(spec)
    assert record.problem == ""
    assert record.key.endswith("images/1/a.jpg")
    assert make_reader(spec).read(record) == b"one"


def test_missing_objects_are_found_when_read(place: Folder) -> None:
    place.write("c.csv", b"uri\nnowhere.jpg\n")
    spec = SourceSpec("manifest", f"{place.uri}/c.csv", place.options)
    (record,) = list_records(spec)
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(record)
    assert caught.value.code == "missing"


@pytest.mark.s3
def test_a_relative_uri_does_not_leave_the_bucket(s3) -> None:
    folder = Folder(s3.bucket("bucket"), s3.options)
    folder.write("c.csv", b"uri\n../other/a.jpg\n/absolute/a.jpg\n")
    assert [record.problem.partition(":")[0] for record in listed(folder, "c.csv")] == ["bad_uri", "bad_uri"]


def test_a_local_catalogue_of_remote_images(local: Folder) -> None:
    import uuid

    remote = Folder(f"memory://{uuid.uuid4().hex}")
    remote.write("a.jpg", b"far")
    local.write("c.csv", f"uri\n{remote.uri}/a.jpg\n".encode())
    spec = SourceSpec("manifest", f"{local.uri}/c.csv", schemes=("memory",))
    assert [make_reader(spec).read(record) for record in list_records(spec)] == [b"far"]


def test_bad_csv_rows_are_problems_in_their_places(local: Folder) -> None:
    local.write("c.csv", b'uri,n\na.jpg,1\nb.jpg\nc.jpg,3,4\n"d"x.jpg,4\n,5\n\ne.jpg,6\n"f.jpg,7\n')
    records = listed(local, "c.csv")
    assert [(record.key, record.problem.partition(":")[0]) for record in records] == [
        ("a.jpg", ""),
        ("c.csv#line3", "bad_row"),
        ("c.csv#line4", "bad_row"),
        ("c.csv#line5", "bad_row"),
        ("c.csv#line6", "no_uri"),
        ("e.jpg", ""),
        ("c.csv#line9", "bad_row"),
    ]


def test_bad_json_lines_are_problems_in_their_places(local: Folder) -> None:
    lines = [
        '{"uri": "a.jpg", "x": NaN, "deep": {"y": [1, null]}}',
        "{not json",
        "[1]",
        '{"uri": 5}',
        '{"other": 1}',
        "[" * 50_000,
        '{"uri": "b.jpg"}',
    ]
    local.write("c.jsonl", "\n".join(lines).encode())
    records = listed(local, "c.jsonl")
    assert [record.problem.partition(":")[0] for record in records] == [
        "",
        "bad_row",
        "bad_row",
        "no_uri",
        "no_uri",
        "bad_row",
        "",
    ]
    assert dict(records[0].metadata) == {"x": None, "deep": {"y": [1, None]}}
    assert records[1].key == "c.jsonl#line2"


def test_unsafe_and_missing_keys(local: Folder) -> None:
    local.write("c.csv", b"uri,id\na.jpg,../x\nb.jpg,\nc.jpg,C:\\x\n..,d\n")
    records = listed(local, "c.csv", key_column="id")
    assert [record.problem.partition(":")[0] for record in records] == ["bad_key", "no_key", "bad_key", ""]


@pytest.mark.parametrize(
    ("name", "data", "settings", "said"),
    [
        ("c.csv", b"url,id\na.jpg,1\n", {}, "no column 'uri'; set `source.uri_column` to one of: url, id"),
        (
            "c.csv",
            b"uri,id\na.jpg,1\n",
            {"key_column": "ID"},
            "no column 'ID'; set `source.key_column` to one of: uri, id",
        ),
        ("c.csv", b"uri;id\na.jpg;1\n", {}, "one of: uri;id"),
        ("c.csv", b"uri,uri\na.jpg,1\n", {}, "stand twice"),
        ("c.csv", b"", {}, "empty"),
        ("c.csv", b"uri\n", {}, "no record"),
        ("c.csv", "uri\né.jpg\n".encode("latin-1"), {}, "UTF-8"),
        ("c.csv", "uri\na.jpg\n".encode("utf-16"), {}, "UTF-8"),
        ("c.csv.gz", b"uri\na.jpg\n", {}, "damaged"),
        ("c.csv.gz", gzip.compress(b"uri\na.jpg\n", mtime=0)[:-9], {}, "damaged"),
        ("c.csv.bz2", b"uri\na.jpg\n", {}, "damaged"),
        ("c.csv.xz", b"uri\na.jpg\n", {}, "damaged"),
        ("c.jsonl", b'{"url": "a.jpg"}\n', {}, "no column 'uri'"),
        ("c.jsonl", b"", {}, "no record"),
        ("c.parquet", b"nonsense", {}, "damaged"),
        ("c.xlsx", b"PK", {}, ".csv"),
    ],
)
def test_a_manifest_that_cannot_be_read_as_a_whole(
    local: Folder, name: str, data: bytes, settings: dict[str, str], said: str
) -> None:
    local.write(name, data)
    with pytest.raises(SourceError) as caught:
        listed(local, name, **settings)
    assert said in str(caught.value)


def test_parquet_catalogue_keeps_types(local: Folder) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"uri": ["a.jpg", None], "id": [7, 8], "w": [1.5, None], "raw": [b"x", b"y"]}), buffer)
    local.write("c.parquet", buffer.getvalue().to_pybytes())
    one, two = listed(local, "c.parquet", key_column="id")
    assert (one.key, dict(one.metadata), one.problem) == ("7", {"w": 1.5}, "")
    assert (two.key, two.problem.partition(":")[0]) == ("8", "no_uri")
