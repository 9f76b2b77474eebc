"""Folders at any URL: whole writes, create-only writes, listings, refusals."""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.storage import Folder, filesystem

RACERS = 3


def test_write_read_replace_delete(folder: Folder) -> None:
    folder.write("a/b.bin", b"one")
    assert folder.read("a/b.bin") == b"one"
    folder.write("a/b.bin", b"two")
    assert folder.read("a/b.bin") == b"two"
    assert folder.exists("a/b.bin")
    folder.delete("a/b.bin")
    assert not folder.exists("a/b.bin")
    folder.delete("a/b.bin")
    with pytest.raises(FileNotFoundError):
        folder.read("a/b.bin")


def test_create_refuses_the_second(folder: Folder) -> None:
    assert folder.create("commit.json", b"first")
    assert not folder.create("commit.json", b"second")
    assert folder.read("commit.json") == b"first"


def test_one_racer_creates(folder: Folder) -> None:
    if folder.uri.startswith("memory:"):
        pytest.skip("the memory file system looks before it writes, which is no race to win")
    # The S3 server lets a refused writer wait a second; local rounds cost nothing.
    for round_ in range(2 if folder.uri.startswith("s3:") else 50):
        barrier = threading.Barrier(RACERS)

        def race(number: int, name: str = f"commit-{round_}.json", start: threading.Barrier = barrier) -> bool:
            start.wait()
            return folder.create(name, f"racer {number}".encode())

        with ThreadPoolExecutor(RACERS) as pool:
            won = list(pool.map(race, range(RACERS)))
        assert sum(won) == 1
        assert folder.read(f"commit-{round_}.json") == f"racer {won.index(True)}".encode()


def test_no_leftovers(folder: Folder) -> None:
    folder.create("x", b"1")
    folder.create("x", b"2")
    folder.write("x", b"3")
    assert folder.names() == ["x"]


def test_names_are_sorted_and_relative(folder: Folder) -> None:
    for name in ("b/z.txt", "b-1/a.txt", "b.txt", "a/b/c.txt"):
        folder.write(name, b"x")
    assert folder.names() == sorted(["b/z.txt", "b-1/a.txt", "b.txt", "a/b/c.txt"])
    assert sorted(name for name, _ in folder.walk()) == folder.names()
    assert folder.names("b") == ["b/z.txt"]
    assert folder.child("a").names() == ["b/c.txt"]
    assert folder.names("nothing") == []
    assert Folder(f"{folder.uri}/nowhere", folder.options).names() == []


def test_a_tree_deeper_than_the_stack(tmp_path: Path) -> None:
    depth = 1200
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    try:
        assert Folder(str(tmp_path)).names() == ["d/" * depth + "x"]
    finally:  # pytest tidies up by recursion, which this tree is too deep for
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_upload(folder: Folder, tmp_path: Path) -> None:
    source = tmp_path / "shard.tar"
    source.write_bytes(b"x" * 1_000_000)
    folder.upload("shards/one.tar", source)
    assert folder.read("shards/one.tar") == source.read_bytes()
    assert folder.names() == ["shards/one.tar"]


def test_check_passes_and_leaves_nothing(folder: Folder) -> None:
    folder.check()
    assert folder.names() == []


def test_an_unreadable_folder_is_not_taken_for_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(str(tmp_path))
    folder.write("commits/a.json", b"{}")
    scandir = os.scandir

    def refuse(path: str) -> object:
        # Tests may run as root, whom no permission stops.
        if str(path).endswith("commits"):
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        folder.names()


def test_a_double_colon_in_a_name_stays_part_of_it(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "a::b"))
    folder.write("c::d.txt", b"here")
    assert (tmp_path / "a::b" / "c::d.txt").read_bytes() == b"here"
    assert filesystem("s3://bucket/a::b.jpg", {"anon": True})[1] == "bucket/a::b.jpg"
    assert filesystem(f"simplecache::file://{tmp_path}/x", {})[1] == f"{tmp_path}/x"


def test_unknown_protocols_are_refused() -> None:
    with pytest.raises(StorageError, match="nosuch"):
        filesystem("nosuch://bucket/x", {})


@pytest.mark.s3
def test_wrong_credentials(s3) -> None:
    uri = s3.bucket("refused")
    wrong = Folder(uri, s3.options | {"secret": "wrong"})
    with pytest.raises(StorageError, match="cannot write"):
        wrong.check()
    with pytest.raises(StorageError, match="not accepted"):
        wrong.names()
    with pytest.raises(StorageError, match="not accepted"):
        wrong.create("commit.json", b"x")


@pytest.mark.s3
def test_s3_listing_goes_on_past_the_first_page(s3) -> None:
    folder = Folder(s3.bucket("pages"), s3.options)
    names = [f"{number:04d}.txt" for number in range(1100)]
    s3.fs.pipe({folder.path(name): b"x" for name in names})
    assert [name for name, _ in folder.walk()] == names
