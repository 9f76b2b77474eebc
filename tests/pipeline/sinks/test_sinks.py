"""Sinks: the same bytes whatever the order and the thread, and names that two attempts never share."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import random
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import RecordError, StorageError
from pipeline.records import Artifact, Output, Record, Unit
from pipeline.sinks import Layout, SinkSpec, UnitWriter, make_sink
from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder

KEYS = ("a/1.tif", "a/2.v2.tif", "b-é.jpg", "007", "z/" + "long" * 40 + ".png")


def unit_of(keys: tuple[str, ...] = KEYS) -> Unit:
    return Unit("0123456789abcdef", 3, tuple(Record(key, f"file:///{key}", "v") for key in keys))


def artifacts_of(record: Record) -> tuple[Artifact, Artifact]:
    name = record.key.rsplit(".", 1)[0] + ".png"
    data = random.Random(record.key).randbytes(3000)
    return Artifact(name, "image", data), Artifact(f"{name}.json", "record", json.dumps({"key": record.key}).encode())


def fill(writer: UnitWriter, unit: Unit, order: list[int]) -> tuple[Output, ...]:
    for index in order:
        writer.put(unit.records[index], artifacts_of(unit.records[index]))
    return writer.close()


LAYOUTS: tuple[Layout, ...] = ("mirror", "webdataset", "parquet")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_outputs_are_what_lies_there(folder: Folder, layout: Layout) -> None:
    unit = unit_of()
    outputs = fill(make_sink(SinkSpec(layout, folder)).open(unit, 1), unit, [3, 0, 4, 1, 2])
    assert [output.path for output in outputs] == sorted(folder.names())
    for output in outputs:
        data = folder.read(output.path)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (output.size, output.sha256)
    if layout == "mirror":
        assert {output.key for output in outputs} == set(KEYS)
        assert {output.role for output in outputs} == {"image", "record"}
        assert len(outputs) == 2 * len(KEYS)
    else:
        assert [(output.role, output.key) for output in outputs] == [("shard", "")]
        assert outputs[0].path.startswith("shard-000003-01234567-a1.")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_bytes_whatever_the_order_the_threads_and_the_attempt(tmp_path: Path, layout: Layout) -> None:
    unit = unit_of()
    hashes = []
    for attempt, order in enumerate([[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]], start=1):
        folder = Folder(str(tmp_path / str(attempt)))
        outputs = fill(make_sink(SinkSpec(layout, folder)).open(unit, attempt), unit, order)
        hashes.append([output.sha256 for output in outputs])
    writer = make_sink(SinkSpec(layout, Folder(str(tmp_path / "threads")))).open(unit, 3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda record: writer.put(record, artifacts_of(record)), unit.records * 20))
    hashes.append([output.sha256 for output in writer.close()])
    assert hashes[0] == hashes[1] == hashes[2]


def test_a_tar_reads_back(folder: Folder) -> None:
    unit = unit_of()
    fill(make_sink(SinkSpec("webdataset", folder)).open(unit, 1), unit, [4, 3, 2, 1, 0])
    spec = SourceSpec("webdataset", folder.uri, folder.options)
    records = list(list_records(spec))
    assert [record.metadata["key"] for record in records] == list(KEYS)
    assert [record.key for record in records][:3] == ["a/1.png", "a/2%2Ev2.png", "b-é.png"]
    reader = make_reader(spec)
    for record, planned in zip(records, unit.records, strict=True):
        assert reader.read(record) == artifacts_of(planned)[0].data


def test_a_tar_carries_nothing_of_the_machine(tmp_path: Path) -> None:
    unit = unit_of()
    folder = Folder(str(tmp_path))
    (output,) = fill(make_sink(SinkSpec("webdataset", folder)).open(unit, 1), unit, [0, 1, 2, 3, 4])
    with tarfile.open(fileobj=io.BytesIO(folder.read(output.path))) as tar:
        members = tar.getmembers()
    assert len(members) == 2 * len(KEYS)
    for member in members:
        assert (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) == (
            0,
            0,
            0,
            "",
            "",
            0o644,
        )
        assert "." not in member.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def test_samples_that_differ_only_in_their_extension_stay_apart(tmp_path: Path) -> None:
    unit = unit_of(("a.jpg", "a.tif", "a%2Ejpg.jpg", "a.b.jpg"))
    folder = Folder(str(tmp_path))
    writer = make_sink(SinkSpec("webdataset", folder)).open(unit, 1)
    for record in unit.records:
        writer.put(
            record,
            [Artifact(record.key, "image", record.key.encode()), Artifact(f"{record.key}.json", "record", b"{}")],
        )
    (output,) = writer.close()
    with tarfile.open(fileobj=io.BytesIO(folder.read(output.path))) as tar:
        names = tar.getnames()
    assert names == [
        "a.jpg",
        "a.json",
        "a%2Etif.tif",
        "a%2Etif.json",
        "a%252Ejpg.jpg",
        "a%252Ejpg.json",
        "a%2Eb.jpg",
        "a%2Eb.json",
    ]
    records = list(list_records(SourceSpec("webdataset", folder.uri)))
    assert len({record.key.split(".")[0] for record in records}) == 4


def test_parquet_reads_back(folder: Folder) -> None:
    unit = unit_of()
    (output,) = fill(make_sink(SinkSpec("parquet", folder)).open(unit, 1), unit, [4, 3, 2, 1, 0])
    table = pq.read_table(io.BytesIO(folder.read(output.path)))
    assert table.column_names == ["key", "image", "record"]
    assert table["key"].to_pylist() == list(KEYS)
    assert [json.loads(text)["key"] for text in table["record"].to_pylist()] == list(KEYS)
    assert json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]["image"] == {"_type": "Image"}
    spec = SourceSpec("parquet", folder.uri, folder.options, key_column="key")
    reader = make_reader(spec)
    assert [reader.read(record) for record in list_records(spec)] == [
        artifacts_of(record)[0].data for record in unit.records
    ]


def test_parquet_row_groups_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sinks.parquet.ROW_GROUP_BYTES", 7000)
    unit = unit_of(tuple(f"{index}.png" for index in range(230)))
    folder = Folder(str(tmp_path))
    (output,) = fill(make_sink(SinkSpec("parquet", folder)).open(unit, 1), unit, list(range(230)))
    assert pq.ParquetFile(tmp_path / output.path).num_row_groups == 77
    monkeypatch.undo()
    (output,) = fill(make_sink(SinkSpec("parquet", folder)).open(unit, 2), unit, list(range(230)))
    assert pq.ParquetFile(tmp_path / output.path).num_row_groups == 3


@pytest.mark.parametrize("layout", ["webdataset", "parquet"])
def test_abort_takes_back_its_own_shard_alone(folder: Folder, layout: Layout) -> None:
    unit = unit_of()
    sink = make_sink(SinkSpec(layout, folder))
    fill(sink.open(unit, 1), unit, [0, 1])
    second = sink.open(unit, 2)
    fill(second, unit, [0, 1])
    assert len(folder.names()) == 2
    second.abort()
    second.abort()
    assert len(folder.names()) == 1
    assert "-a1." in folder.names()[0]
    third = sink.open(unit, 3)
    third.put(unit.records[0], artifacts_of(unit.records[0]))
    third.abort()
    assert len(folder.names()) == 1


def test_abort_of_a_mirror_leaves_what_another_attempt_may_have_committed(folder: Folder) -> None:
    unit = unit_of()
    sink = make_sink(SinkSpec("mirror", folder))
    outputs = fill(sink.open(unit, 1), unit, [0, 1, 2])
    late = sink.open(unit, 2)
    late.put(unit.records[0], artifacts_of(unit.records[0]))
    late.abort()
    assert folder.names() == [output.path for output in outputs]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_unit_without_outputs(folder: Folder, layout: Layout) -> None:
    assert make_sink(SinkSpec(layout, folder)).open(unit_of(), 1).close() == ()
    assert folder.names() == []


@pytest.mark.parametrize("layout", ["webdataset", "parquet"])
def test_a_second_put_replaces_the_first_and_strangers_are_refused(tmp_path: Path, layout: Layout) -> None:
    unit = unit_of(("a.png",))
    writer = make_sink(SinkSpec(layout, Folder(str(tmp_path)))).open(unit, 1)
    writer.put(unit.records[0], [Artifact("a.png", "image", b"first"), Artifact("a.png.json", "record", b"{}")])
    writer.put(unit.records[0], [Artifact("a.png", "image", b"second"), Artifact("a.png.json", "record", b"{}")])
    with pytest.raises(ValueError, match="no record of unit"):
        writer.put(Record("b.png", "", ""), [Artifact("b.png", "image", b"x")])
    (output,) = writer.close()
    data = (tmp_path / output.path).read_bytes()
    assert b"second" in data
    assert b"first" not in data


def test_a_large_unit_goes_through_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sinks.spool.MEMORY_BYTES", 100)
    unit = unit_of()
    hashes = {}
    for limit in (100, 10**9):
        monkeypatch.setattr("pipeline.sinks.spool.MEMORY_BYTES", limit)
        folder = Folder(str(tmp_path / str(limit)))
        (output,) = fill(make_sink(SinkSpec("webdataset", folder)).open(unit, 1), unit, [2, 1, 0, 4, 3])
        hashes[limit] = output.sha256
    assert len(set(hashes.values())) == 1


def test_a_name_that_another_output_takes_is_the_records_own_trouble(tmp_path: Path) -> None:
    unit = unit_of(("a", "a/b.png", "c/d.png", "c"))
    writer = make_sink(SinkSpec("mirror", Folder(str(tmp_path)))).open(unit, 1)
    writer.put(unit.records[0], [Artifact("a", "image", b"x")])
    writer.put(unit.records[2], [Artifact("c/d.png", "image", b"x")])
    for index, name in ((1, "a/b.png"), (3, "c")):
        with pytest.raises(RecordError) as caught:
            writer.put(unit.records[index], [Artifact(name, "image", b"x")])
        assert caught.value.code == "bad_name"
    with pytest.raises(RecordError):
        writer.put(unit.records[0], [Artifact("x" * 300, "image", b"x")])


def test_a_full_disk_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    unit = unit_of()
    monkeypatch.setattr("pipeline.storage.write_local", full)
    writer = make_sink(SinkSpec("mirror", Folder(str(tmp_path)))).open(unit, 1)
    with pytest.raises(StorageError, match="space"):
        writer.put(unit.records[0], artifacts_of(unit.records[0]))


def test_a_full_temporary_folder_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    unit = unit_of()
    writer = make_sink(SinkSpec("webdataset", Folder(str(tmp_path)))).open(unit, 1)
    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    with pytest.raises(StorageError, match="TMPDIR"):
        writer.put(unit.records[0], artifacts_of(unit.records[0]))
    writer.abort()


@pytest.mark.s3
@pytest.mark.parametrize("layout", LAYOUTS)
def test_wrong_credentials_stop_the_run(s3, layout: Layout) -> None:
    unit = unit_of()
    folder = Folder(s3.bucket("locked"), s3.options | {"secret": "wrong"})
    with pytest.raises(StorageError):
        fill(make_sink(SinkSpec(layout, folder)).open(unit, 1), unit, [0])
