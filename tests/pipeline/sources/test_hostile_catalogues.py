"""Catalogues that are written to do harm: none stops the listing with anything but a clear word."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.records import Record
from pipeline.sources import SourceSpec, list_records
from pipeline.sources.manifest import MAX_LINE


def listed(folder: Path, name: str, data: bytes, **settings: str) -> list[Record]:
    (folder / name).write_bytes(data)
    return list(list_records(SourceSpec("manifest", str(folder / name), **settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["c.csv.gz", "c.jsonl.gz"])
def test_a_line_without_end_is_not_read_whole(tmp_path: Path, name: str) -> None:
    bomb = gzip.compress(b"uri\n" if "csv" in name else b'{"uri": "a.jpg"}\n') + gzip.compress(b"x" * (MAX_LINE + 9))
    assert len(bomb) < 100_000
    with pytest.raises(SourceError, match="line 2 is longer than 16 Mi characters"):
        listed(tmp_path, name, bomb)


def test_a_million_columns(tmp_path: Path) -> None:
    header = ",".join(f"c{number}" for number in range(1_000_000)).encode()
    with pytest.raises(SourceError, match="and 999950 more") as caught:
        listed(tmp_path, "c.csv", header + b"\n1\n")
    assert len(str(caught.value)) < 2000
    with pytest.raises(SourceError, match="stand twice"):
        listed(tmp_path, "c.csv", header + b",c5\n1\n")


@pytest.mark.parametrize("depth", [70, 300, 900, 990, 5000, 100_000])
def test_values_nested_deep(tmp_path: Path, depth: int) -> None:
    lines = [json.dumps({"uri": "a.jpg"}), '{"uri": "b.jpg", "x": ' + "[" * depth + "]" * depth + "}"]
    first, second = listed(tmp_path, "c.jsonl", "\n".join(lines).encode())
    assert (first.problem, second.problem.partition(":")[0]) == ("", "bad_row")


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("a\\u0000b.jpg", "bad_uri"),
        ("a\\nb.jpg", "bad_uri"),
        ("a\\u001b[2Jb.jpg", "bad_uri"),
        ("x" * 9000, "bad_uri"),
        ("nonsense://x/a.jpg", "scheme_not_allowed"),
        ("c://x/a.jpg", "scheme_not_allowed"),
        ("\\\\\\\\server\\\\share\\\\a.jpg", ""),  # on POSIX a name like any other, which is not there
    ],
)
def test_uris_that_no_store_can_take(tmp_path: Path, uri: str, code: str) -> None:
    (record,) = listed(tmp_path, "c.jsonl", f'{{"uri": "{uri}", "id": "safe"}}'.encode(), key_column="id")
    assert record.problem.partition(":")[0] == code
    assert len(record.problem) < 500
