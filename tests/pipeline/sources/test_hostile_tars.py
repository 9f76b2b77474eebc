"""Tars that are written to do harm: the listing ends soon, in little memory, and says what is wrong."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from pipeline.records import Record
from pipeline.sources import SourceSpec, list_records

BLOCK = tarfile.BLOCKSIZE


def header(name: str, kind: bytes, size: int = 0) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def good(name: str = "good.jpg") -> bytes:
    return header(name, tarfile.REGTYPE, 4) + padded(b"good")


def extended(body: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return header("pax", kind, len(body)) + padded(body)


def listed(folder: Path, *parts: bytes) -> list[Record]:
    (folder / "s.tar").write_bytes(b"".join(parts) + bytes(2 * BLOCK))
    return list(list_records(SourceSpec("webdataset", str(folder))))


def codes(records: list[Record]) -> list[str]:
    return [record.problem.partition(":")[0] for record in records]


EXTENDED = {
    "records that overlap, so that memory grows with the square": b"2 " * 100_000 + b"=",
    "a number that is searched in time that grows with the square": b"9" * 200_000,
    "a record that ends beyond the header": b"99 path=x\n",
    "a record without an equals sign": b"8 path=\n".replace(b"=", b"x"),
    "a record of length 0": b"0 path=x\n",
    "a header longer than any": b"300000 comment=" + b"x" * 299_984 + b"\n",
}


@pytest.mark.parametrize("body", EXTENDED.values(), ids=list(EXTENDED))
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE])
def test_extended_headers(tmp_path: Path, kind: bytes, body: bytes) -> None:
    tracemalloc.start()
    records = listed(tmp_path, good(), extended(body, kind), good("unseen.jpg"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert codes(records) == ["", "broken_shard"]
    assert peak < 8 * 2**20


def test_an_extended_header_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
        records = listed(tmp_path, good(), header("pax", kind, 8 * 2**30), good())
        assert codes(records) == ["", "broken_shard"]
        assert "longer than 256 KiB" in records[-1].problem


@pytest.mark.parametrize("count", [17, 400, 20_000])
@pytest.mark.parametrize("one", [header("x", tarfile.GNUTYPE_LONGNAME), extended(b"12 path=abc\n")], ids=["gnu", "pax"])
def test_headers_that_follow_each_other_for_ever(tmp_path: Path, one: bytes, count: int) -> None:
    records = listed(tmp_path, good(), one * count, good())
    assert codes(records) == ["", "broken_shard"]
    assert "more than 16 headers" in records[-1].problem


def test_a_few_headers_for_one_member_are_read(tmp_path: Path) -> None:
    records = listed(tmp_path, good(), extended(b"16 path=abc.jpg\n") * 16, good(), good("next.jpg"))
    assert [(record.key, record.problem) for record in records] == [("good.jpg", ""), ("abc.jpg", ""), ("next.jpg", "")]


def test_global_headers_do_not_pile_up(tmp_path: Path) -> None:
    one = extended(b"".join(b"20 comment%04d=abcd\n" % number for number in range(2000)), tarfile.XGLTYPE)
    records = listed(tmp_path, *[one + good(f"{number}.jpg") for number in range(20)])
    assert codes(records) == [""] * 6 + ["broken_shard"]


def test_ordinary_extended_headers_are_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "box 7"}) as tar:
        for key in ("ä" * 90 + ".jpg", "b/" * 100 + "c.jpg"):
            member = tarfile.TarInfo(key)
            member.pax_headers = {"SCHILY.xattr.user.note": "two\nlines = fine", "mtime": "1234567890.123456789"}
            tar.addfile(member, io.BytesIO())
    (tmp_path / "s.tar").write_bytes(buffer.getvalue())
    records = list(list_records(SourceSpec("webdataset", str(tmp_path))))
    assert [record.key for record in records] == ["ä" * 90 + ".jpg", "b/" * 100 + "c.jpg"]
    assert codes(records) == ["", ""]


def test_sizes_that_no_member_has(tmp_path: Path) -> None:
    negative = bytearray(header("minus.jpg", tarfile.REGTYPE))
    negative[124:136] = b"\xff" * 11 + b"\xf0"
    checksum = sum(negative[:148]) + 8 * 32 + sum(negative[156:])
    negative[148:156] = b"%06o\0 " % checksum
    pax = b"15 size=-99999\n"
    for records in (
        listed(tmp_path, good(), bytes(negative), good("next.jpg")),
        listed(tmp_path, good(), extended(pax), header("minus.jpg", tarfile.REGTYPE), good("next.jpg")),
        listed(tmp_path, good(), header("huge.jpg", tarfile.REGTYPE, 2**62), good("next.jpg")),
    ):
        assert codes(records)[0] == ""
        assert codes(records)[1] in {"bad_member", "truncated_member"}
        assert set(codes(records)[2:]) <= {"", "broken_shard"}
        assert all(0 <= record.size < 10_000 for record in records)
