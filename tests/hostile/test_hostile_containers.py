"""Shards and catalogues that climb out, lie or name what is not theirs, through the real command."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import containers
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from healthy import healthy
from watched import SECRET, Result, World

from pipeline.storage import Folder

PRINT = healthy()["jpeg/baseline.jpg"]


def fates(result: Result) -> list[tuple[str, str]]:
    return sorted((fate.key, fate.code) for fate in result.fates)


def expect(result: Result, *expected: dict[str, str]) -> None:
    assert fates(result) == sorted(pair for one in expected for pair in one.items())
    assert result.code == 3
    assert "Traceback" not in result.noise
    assert not any(SECRET in data for data in result.outputs.values())
    assert not any(SECRET.decode() in fate.message for fate in result.fates if fate.code != "not_an_image")


def test_tar_members_that_climb_out_or_are_no_files(world: World) -> None:
    oddities, expected = containers.tar_of_oddities(PRINT)
    world.write({"keys.tar": containers.tar_of_keys(PRINT), "oddities.tar": oddities})
    (world.root / "in" / "linked.tar").symlink_to(world.root / "elsewhere" / "secret.txt")
    result = world.run(world.job("out", {"kind": "webdataset"}))
    expect(result, containers.tar_keys(), expected, {"linked.tar": "link_outside"})
    assert {name for name in result.outputs if name.endswith(".jpg")} == {
        *(key for key, code in containers.tar_keys().items() if code == "ok"),
        *(key for key, code in expected.items() if code == "ok"),
    }


def test_tars_that_break_off_or_lie(world: World) -> None:
    shards = containers.bad_tars(PRINT)
    world.write({f"{name}.tar": data for name, data in shards.items()})
    result = world.run(world.job("out", {"kind": "webdataset"}))
    assert (result.code, "Traceback" in result.noise) == (3, False)
    without = {"not-a-tar", "empty"}
    # Every shard has one healthy member; they have one name, so the first is kept.
    keys = Counter(fate.key for fate in result.fates if fate.code in {"ok", "duplicate_name"})
    assert keys["good.jpg"] >= len(shards) - len(without)
    broken = {fate.key.removesuffix(".tar") for fate in result.fates if fate.code == "broken_shard"}
    assert broken == set(shards) - {"minus"} or broken == set(shards)
    assert set(result.codes) <= {"ok", "duplicate_name", "broken_shard", "truncated_member", "bad_member", "bad_key"}
    assert result.peak < 1500


def test_parquet_keys_that_climb_out_and_files_that_are_damaged(world: World) -> None:
    world.write({"a.parquet": containers.parquet_of_keys(PRINT)})
    first = world.run(world.job("keys", {"kind": "parquet"}))
    expect(first, containers.KEYS)

    world.write({f"b/{name}.parquet": data for name, data in containers.bad_parquets(PRINT).items()})
    second = world.run(world.job("damaged", {"kind": "parquet", "uri": "in/b"}))
    assert (second.code, "Traceback" in second.noise) == (3, False)
    codes = {"ok", "bad_key", "duplicate_name", "broken_shard", "unreadable", "null_image", "empty_file", "corrupt"}
    assert set(second.codes) <= codes | {"truncated", "no_key", "not_an_image"}
    broken = {fate.key for fate in second.fates if fate.code == "broken_shard"}
    assert broken >= {f"{name}.parquet" for name in ("cut", "footer", "length", "noise", "empty")}


@pytest.mark.parametrize("kind", ["manifest", "parquet"])
def test_catalogues_that_name_what_is_not_theirs(world: World, kind: str) -> None:
    world.write({"print.jpg": PRINT})
    os.mkfifo(world.root / "in" / "pipe.jpg")
    table = containers.rows(str(world.root / "elsewhere" / "secret.txt"), "print.jpg")
    table += [("pipe.jpg", "pipe.jpg", "not_a_file"), ("passwd.jpg", "/etc/passwd", "not_an_image")]
    source = {"kind": kind, "uri_column": "uri", "key_column": "id"}
    extra: dict[str, str] = {}
    if kind == "manifest":
        world.write({"c.jsonl": containers.jsonl(table, containers.NO_ROWS)})
        source["uri"] = "in/c.jsonl"
        first = len(table) + 1
        extra = {f"c.jsonl#line{first + number}": "bad_row" for number in range(len(containers.NO_ROWS))}
    else:
        columns = list(zip(*table, strict=True))
        path = world.root / "in" / "c.parquet"
        pq.write_table(pa.table({"id": list(columns[0]), "uri": list(columns[1])}), path)
        source["uri"] = "in/c.parquet"
    result = world.run(world.job("out", source))
    expect(result, {key: code for key, _, code in table}, extra)
    refused = {fate.key: fate.message for fate in result.fates if fate.code == "scheme_not_allowed"}
    assert "`http`" in refused["web.jpg"]
    assert all("`source.schemes`" in message for message in refused.values())
    assert "`simplecache`" in refused["cached.jpg"]


def test_schemes_that_the_job_names_are_read(world: World) -> None:
    import zipfile

    with zipfile.ZipFile(world.root / "in" / "box.zip", "w") as archive:
        archive.writestr("print.jpg", PRINT)
    uri = f"zip://print.jpg::file://{world.root}/in/box.zip"
    world.write({"c.csv": f"id,uri\nzipped.jpg,{uri}\nremote.jpg,http://127.0.0.1:9/a.jpg\n".encode()})
    source = {"kind": "manifest", "uri": "in/c.csv", "key_column": "id", "schemes": ["zip"]}
    result = world.run(world.job("out", source))
    assert result.outcomes == {"zipped.jpg": "ok", "remote.jpg": "scheme_not_allowed"}


@pytest.mark.s3
def test_a_catalogue_on_s3_does_not_read_the_workers_disk(world: World, s3) -> None:
    bucket = Folder(s3.bucket("catalogue"), s3.options)
    bucket.write("in/print.jpg", PRINT)
    secret = world.root / "elsewhere" / "secret.txt"
    table = [
        ("good.jpg", "print.jpg", "ok"),
        ("full.jpg", f"{bucket.uri}/in/print.jpg", "ok"),
        ("other-bucket.jpg", "../../other/print.jpg", "bad_uri"),
        ("above.jpg", "../in/print.jpg", "ok"),
        ("absolute.jpg", str(secret), "bad_uri"),
        ("file-url.jpg", f"file://{secret}", "scheme_not_allowed"),
        ("local-url.jpg", f"local://{secret}", "scheme_not_allowed"),
        ("passwd.jpg", "file:///etc/passwd", "scheme_not_allowed"),
        ("cached.jpg", f"simplecache::{bucket.uri}/in/print.jpg", "scheme_not_allowed"),
        ("through.jpg", f"{bucket.uri}/a::b/c::file://{secret}", "scheme_not_allowed"),
        ("metadata.jpg", "http://169.254.169.254/latest/meta-data/", "scheme_not_allowed"),
    ]
    bucket.write("in/c.jsonl", containers.jsonl(table))
    source = {"kind": "manifest", "uri": f"{bucket.uri}/in/c.jsonl", "key_column": "id", "storage_options": s3.options}
    result = world.run(world.job("out", source))
    expect(result, {key: code for key, _, code in table})


def test_a_source_that_is_no_file_at_all(world: World) -> None:
    os.mkfifo(world.root / "in" / "c.csv")
    for uri in ("in/c.csv", "/dev/zero"):
        result = world.run(world.job(f"out-{Path(uri).stem}", {"kind": "manifest", "uri": uri}), seconds=60)
        assert (result.code, "Traceback" in result.noise) == (5, False)
