"""Faults that pass: whatever is done to a third of the requests, a folder does what it does without them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RecordError, StorageError
from pipeline.records import Record
from pipeline.retries import is_storage
from pipeline.sources import SourceSpec, make_reader
from pipeline.storage import Folder

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("quick")]

NAMES = [f"box{number % 3}/{number:02d}.txt" for number in range(12)]


def use(folder: Folder, tmp_path: Path) -> None:
    """Everything that a folder can do, its results looked at."""
    for name in NAMES:
        folder.write(name, name.encode())
    assert [folder.read(name) for name in NAMES] == [name.encode() for name in NAMES]
    assert folder.names() == sorted(NAMES)
    assert folder.children() == ["box0", "box1", "box2"]
    assert all(folder.exists(name) for name in NAMES)
    for name in NAMES:
        # A refusal may be of one's own put, whose reply was lost; what stands there tells.
        if not folder.create(f"marks/{name}", name.encode()):
            assert folder.read(f"marks/{name}") == name.encode()
        assert not folder.create(f"marks/{name}", b"another")
        assert folder.read(f"marks/{name}") == name.encode()
    local = tmp_path / "local"
    local.write_bytes(os.urandom(100_000))
    folder.upload("shard.tar", local)
    assert folder.read("shard.tar") == local.read_bytes()
    for name in NAMES:
        folder.delete(name)
        folder.delete(f"marks/{name}")
    assert folder.names() == ["shard.tar"]


@pytest.mark.parametrize(
    "fault",
    [
        "internal_error",
        "slow_down",
        "reset_before",
        "lost_reply",
        "conflict",
        "truncated",
        "no_token",
    ],
)
def test_a_third_of_requests(proxied, tmp_path: Path, fault: str) -> None:
    listing = fault == "no_token"  # listings are few
    place = proxied(**{fault: 0.5 if listing else 0.33})
    use(place.folder(), tmp_path)
    assert place.counts[fault] >= (1 if listing else 5)


def test_late_answers(proxied, tmp_path: Path) -> None:
    """Those that come after the time-out are asked for again."""
    place = proxied(delayed=0.2, delay_seconds=0.4)
    folder = place.folder("late", config_kwargs={"read_timeout": 0.2})
    use(folder, tmp_path)
    assert place.counts["delayed"] > 10


def test_all_of_them_at_once(proxied, tmp_path: Path) -> None:
    shares = dict.fromkeys(("internal_error", "slow_down", "reset_before", "lost_reply", "conflict", "truncated"), 0.08)
    place = proxied(**shares, delayed=0.2, delay_seconds=0.02)
    use(place.folder(), tmp_path)
    assert all(place.counts[fault] for fault in shares)


def test_the_same_seed_injects_the_same_faults(proxied) -> None:
    def counts(seed: int) -> dict[str, int]:
        place = proxied(seed, internal_error=0.2, slow_down=0.2, lost_reply=0.1)
        folder = place.folder()
        for name in NAMES:
            folder.write(name, b"x")
        return dict(place.counts)

    once = counts(7)
    assert counts(7) == once
    assert counts(8) != once


def test_an_end_of_an_upload_whose_reply_is_lost(proxied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload is complete, S3 knows no such upload any more when its end is sent again, and it is made anew."""
    monkeypatch.setattr("s3fs.core.calculate_chunksize", lambda size, chunksize=None, max_parts=10_000: 5 * 2**20)
    local = tmp_path / "shard.tar"
    local.write_bytes(os.urandom(2**20) * 11)
    place = proxied(lost_reply=1.0)
    place.proxy.change(only="^POST .*uploadId=", most=1)
    folder = place.folder()
    folder.upload("shard.tar", local)
    assert place.behind(folder).read("shard.tar") == local.read_bytes()
    assert place.counts["lost_reply"] == 1


def test_a_body_that_always_breaks_off_is_never_short_data(proxied, impatient: None) -> None:
    place = proxied()
    folder = place.folder()
    folder.write("a.jpg", b"0123456789" * 1000)
    spec = SourceSpec("files", folder.uri, folder.options)
    record = Record("a.jpg", f"{folder.uri}/a.jpg", "")
    place.rates(truncated=1.0)
    with pytest.raises(RecordError, match="broke off") as caught:
        make_reader(spec).read(record)
    assert caught.value.code == "truncated_read"
    with pytest.raises(RecordError, match="broke off"):
        make_reader(spec).read(replace(record, offset=10, size=500))
    with pytest.raises(StorageError, match=r"out/a.jpg: its bytes broke off"):
        folder.read("a.jpg")
    with pytest.raises(Exception, match=r".+") as opened, folder.fs.open(folder.path("a.jpg"), "rb") as file:
        file.read()
    assert is_storage(opened.value)
    place.rates()
    assert make_reader(spec).read(record) == b"0123456789" * 1000


def test_storage_that_never_recovers_is_given_up(proxied, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many tries as are said, and not after as many of each layer, multiplied."""
    monkeypatch.setattr("pipeline.s3.TRIES", 4)
    place = proxied()
    folder = place.folder()
    folder.write("x", b"1")
    for fault in ("slow_down", "internal_error", "reset_before"):
        place.rates(**{fault: 1.0})
        for attempt in (
            lambda: folder.read("x"),
            lambda: folder.write("x", b"2"),
            lambda: folder.create("y", b"2"),
            folder.names,
            lambda: folder.exists("x"),
            lambda: folder.delete("x"),
        ):
            before = place.counts[fault]
            with pytest.raises(StorageError, match="does not answer as it should"):
                attempt()
            tries = place.counts[fault] - before
            # aiohttp sends what may be sent twice again by itself when a connection that it kept open is reset.
            assert tries == 4 if fault != "reset_before" else 4 <= tries <= 8
