"""Tar shards: samples, metadata, ranges, and every way in which a shard can be broken."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from pipeline.errors import RecordError, SourceError
from pipeline.records import Record
from pipeline.sources import Ignored, SourceSpec, list_records, make_reader
from pipeline.sources import webdataset as module
from pipeline.storage import Folder

Members = list[tuple[str, bytes]]


def tar_of(members: Members, fmt: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=fmt) as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def listed(folder: Folder, uri: str = "", ignored: Ignored | None = None) -> list[Record]:
    spec = SourceSpec("webdataset", uri or folder.uri, folder.options)
    return list(list_records(spec, ignored or Ignored()))


@pytest.fixture
def local(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "shards"))


def test_members_of_a_key_belong_together(local: Folder) -> None:
    local.write(
        "s.tar",
        tar_of(
            [
                ("a/1.left.jpg", b"left"),
                ("a/1.right.JPG", b"right"),
                ("a/1.json", json.dumps({"title": "Uncle", "year": 1927, "x": float("nan")}).encode()),
                ("a/1.txt", b"three men\n"),
                ("a/2.cls", b"4"),
                ("a/2.png", b"two"),
                ("a/2.npy", b"array"),
                ("3.tif", b"three"),
                ("4.json", b"{}"),
            ]
        ),
    )
    ignored = Ignored()
    records = listed(local, ignored=ignored)
    assert [(record.key, dict(record.metadata)) for record in records] == [
        ("a/1.left.jpg", {"title": "Uncle", "year": 1927, "x": None, "txt": "three men"}),
        ("a/1.right.JPG", {"title": "Uncle", "year": 1927, "x": None, "txt": "three men"}),
        ("a/2.png", {"cls": "4"}),
        ("3.tif", {}),
    ]
    assert ignored.counts == {"not an image": 1}
    reader = make_reader(SourceSpec("webdataset", local.uri))
    assert [reader.read(record) for record in records] == [b"left", b"right", b"two", b"three"]


def test_metadata_without_an_image_and_unreadable_metadata_are_counted(local: Folder) -> None:
    members = [
        ("1.json", b'{"a": 1}'),
        ("2.jpg", b"two"),
        ("2.json", b"{not json"),
        ("3.jpg", b"three"),
        ("3.txt", b"\xff\xfe"),
        ("4.jpg", b"four"),
        ("4.json", b"[1, 2]"),
        ("5.jpg", b"five"),
        ("5.json", b"[" * 100_000),
        ("6.jpg", b"six"),
        ("6.txt", b"x" * (module.MAX_METADATA_BYTES + 1)),
    ]
    local.write("s.tar", tar_of(members))
    ignored = Ignored()
    records = listed(local, ignored=ignored)
    assert [dict(record.metadata) for record in records] == [{}, {}, {"json": [1, 2]}, {}, {}]
    assert ignored.counts == {"metadata without an image": 1, "unreadable metadata": 4}


@pytest.mark.parametrize("fmt", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names(local: Folder, fmt: int) -> None:
    names = ["/".join(["deep" * 20] * 4) + "/ä" * 10 + ".jpg", "日本/写真.jpg", "x" * 150 + ".jpg"]
    local.write("s.tar", tar_of([(name, name.encode()) for name in names], fmt))
    records = listed(local)
    assert [record.key for record in records] == names
    reader = make_reader(SourceSpec("webdataset", local.uri))
    assert [reader.read(record).decode() for record in records] == names


def test_folders_links_and_hidden_members(local: Folder) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind in [
            ("d", tarfile.DIRTYPE),
            ("1.jpg", tarfile.SYMTYPE),
            ("2.jpg", tarfile.LNKTYPE),
            ("fifo", tarfile.FIFOTYPE),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "0.jpg"
            tar.addfile(member)
        for name in ("._3.jpg", ".git/4.jpg", "/abs.jpg", "../up.jpg", "ok.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
    local.write("s.tar", buffer.getvalue())
    ignored = Ignored()
    problems = {record.key: record.problem.partition(":")[0] for record in listed(local, ignored=ignored)}
    assert problems == {
        "1.jpg": "link_member",
        "2.jpg": "link_member",
        "/abs.jpg": "bad_key",
        "../up.jpg": "bad_key",
        "ok.jpg": "",
    }
    assert ignored.counts == {"not a file": 1, "hidden": 2}


GOOD: Members = [("1.jpg", b"a" * 700), ("2.jpg", b"b" * 700), ("3.jpg", b"c" * 700)]
MEMBER_BYTES = 512 + 1024  # header, and 700 bytes in two blocks


@pytest.mark.parametrize(
    ("cut", "whole", "said"),
    [
        (MEMBER_BYTES + 100, ["1.jpg"], "broken_shard"),  # inside the second header
        (MEMBER_BYTES + 512 + 100, ["1.jpg"], "broken_shard"),  # inside the second member's data
        (2 * MEMBER_BYTES, ["1.jpg", "2.jpg"], "broken_shard"),  # between members
        (3 * MEMBER_BYTES, ["1.jpg", "2.jpg", "3.jpg"], "broken_shard"),  # before the end mark
        (100, [], "broken_shard"),
        (0, [], "broken_shard"),
    ],
)
def test_a_shard_cut_short(local: Folder, cut: int, whole: list[str], said: str) -> None:
    local.write("a.tar", tar_of(GOOD)[:cut])
    local.write("b.tar", tar_of([("9.jpg", b"nine")]))
    records = listed(local)
    assert [record.key for record in records if not record.problem] == [*whole, "9.jpg"]
    (shard,) = [record for record in records if record.problem.startswith("broken_shard: ")]
    assert shard.key == "a.tar"
    assert "a.tar" in shard.problem
    reader = make_reader(SourceSpec("webdataset", local.uri))
    for record in records:
        if record.problem:
            with pytest.raises(RecordError):
                reader.read(record)
        else:
            assert len(reader.read(record)) == record.size


def test_a_cut_member_is_not_read_short(local: Folder) -> None:
    local.write("a.tar", tar_of(GOOD)[: MEMBER_BYTES + 512 + 100])
    problems = [record.problem.partition(":")[0] for record in listed(local)]
    assert problems == ["", "truncated_member", "broken_shard"]


@pytest.mark.parametrize(
    "data",
    [b"this is text" * 100, gzip.compress(tar_of(GOOD), mtime=0), b"\xff\xd8\xff" * 2000, b"x"],
    ids=["text", "gzip", "jpeg", "short"],
)
def test_no_tar_at_all(local: Folder, data: bytes) -> None:
    local.write("a.tar", data)
    (record,) = listed(local)
    assert record.problem.startswith("broken_shard: ")


def test_an_empty_tar_is_no_error_beside_others(local: Folder) -> None:
    local.write("a.tar", tar_of([]))
    local.write("b.tar", tar_of(GOOD))
    assert [record.key for record in listed(local)] == ["1.jpg", "2.jpg", "3.jpg"]


def test_a_damaged_header_and_joined_tars_are_seen(local: Folder) -> None:
    data = bytearray(tar_of(GOOD))
    data[MEMBER_BYTES : MEMBER_BYTES + 20] = b"\xff" * 20
    local.write("a.tar", bytes(data))
    local.write("b.tar", tar_of(GOOD) + tar_of([("4.jpg", b"four")]))
    problems = [record.problem for record in listed(local) if record.problem]
    assert len(problems) == 2
    assert "damaged" in problems[0]
    assert "joined" in problems[1]


def test_every_damage_of_one_byte_is_survived(local: Folder) -> None:
    whole = tar_of([("1.jpg", b"one"), ("1.json", b"{}"), ("2.jpg", b"two")], tarfile.GNU_FORMAT)
    for offset in range(0, 512, 2):
        data = bytearray(whole)
        data[offset] ^= 0x55
        local.write("a.tar", bytes(data))
        records = listed(local)
        assert records, offset


@pytest.mark.parametrize("name", ["s.tar.gz", "s.tgz", "s.TAR.XZ", "s.tar.zst"])
def test_compressed_tars_are_refused_by_name(local: Folder, name: str) -> None:
    local.write("a.tar", tar_of(GOOD))
    local.write(name, b"x")
    with pytest.raises(SourceError, match="unpack"):
        listed(local)
    spec = SourceSpec("webdataset", local.uri, exclude=("s.*",))
    assert len(list(list_records(spec))) == 3


def test_braces_are_refused(local: Folder) -> None:
    with pytest.raises(SourceError, match="glob"):
        listed(local, f"{local.uri}/shard-{{000..012}}.tar")


def test_sparse_members_are_problems(local: Folder, tmp_path: Path) -> None:
    import subprocess

    with (tmp_path / "holes.jpg").open("wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"x")
    local.write("a.tar", b"")
    tar = subprocess.run(
        ["tar", "--sparse", "-cf", f"{local.uri}/a.tar", "-C", str(tmp_path), "holes.jpg"], check=False
    )
    if tar.returncode:
        pytest.skip("GNU tar is not here")
    (record,) = listed(local)
    assert record.problem.startswith("sparse_member: ")


@pytest.mark.s3
def test_listing_and_reading_fetch_no_more_than_they_need(s3, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(s3.bucket("ranges"), s3.options)
    size = 4 * 2**20
    folder.write("big.tar", tar_of([(f"{number}.jpg", bytes([number]) * size) for number in range(4)]))
    fetched = []
    fs = folder.fs
    from s3fs.core import S3File

    original = S3File._fetch_range

    def counting(self: S3File, start: int, end: int) -> bytes:
        data = original(self, start, end)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(S3File, "_fetch_range", counting)
    assert fs is folder.fs
    records = listed(folder)
    assert len(records) == 4
    assert 0 < sum(fetched) < size
    reader = make_reader(SourceSpec("webdataset", folder.uri, folder.options))
    assert reader.read(records[2]) == bytes([2]) * size


def test_a_changed_shard_is_refused(local: Folder) -> None:
    local.write("a.tar", tar_of(GOOD))
    records = listed(local)
    local.write("a.tar", tar_of(list(reversed(GOOD))))
    with pytest.raises(RecordError) as caught:
        make_reader(SourceSpec("webdataset", local.uri)).read(records[0])
    assert caught.value.code == "source_changed"
