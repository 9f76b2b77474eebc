"""Downloads: they go on where they stopped, start again when they must, and never mix two files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from jobs.models import download as downloading
from jobs.models import remote as remoting
from jobs.models.download import download, forget
from jobs.models.remote import Remote
from operators.models import ModelFileError

BLOCK = 1000
CONTENT = os.urandom(5 * BLOCK + 17)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "BLOCK", BLOCK)
    monkeypatch.setattr(remoting, "BLOCK", BLOCK)


def fetch(uri: str, target: Path, stop_at: int | None = None) -> list[int]:
    """Download; stop by an exception once so many bytes are there. Returns what progress said."""
    seen: list[int] = []

    def show(done: int, _total: int | None) -> None:
        seen.append(done)
        if stop_at is not None and done >= stop_at:
            raise KeyboardInterrupt

    download(Remote(uri), target, show)
    return seen


def test_a_file_comes_in_pieces(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    seen = fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert seen == [0, 1000, 2000, 3000, 4000, 5000, 5017]
    assert web.gets()[-1] == "bytes=5000-5016"


def test_a_broken_off_download_goes_on(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{web.url}/w.pth", tmp_path / "w", stop_at=3000)
    web.asked.clear()
    assert fetch(f"{web.url}/w.pth", tmp_path / "w")[0] == 3000
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert web.gets() == ["bytes=3000-3999", "bytes=4000-4999", "bytes=5000-5016"]


def test_a_connection_cut_in_the_middle_is_taken_up_again(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.cut_after = [BLOCK, 300, 0]
    fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert web.gets().count("bytes=1000-1999") == 3


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.statuses = [503, 429]
    fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT
    forget(tmp_path / "w")
    web.asked.clear()
    web.statuses = [403] * 10
    with pytest.raises(Exception, match="403"):
        fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert len(web.gets()) == 1


def test_a_file_that_changed_in_between_is_fetched_from_the_beginning(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{web.url}/w.pth", tmp_path / "w", stop_at=3000)
    other = os.urandom(len(CONTENT))  # as long as the first
    web.files["/w.pth"] = other
    assert fetch(f"{web.url}/w.pth", tmp_path / "w")[0] == 0
    assert (tmp_path / "w").read_bytes() == other


def test_a_file_that_changes_while_it_comes_is_never_mixed(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    other = os.urandom(len(CONTENT))

    def show(done: int, _total: int | None) -> None:
        if done == 3000:
            web.files["/w.pth"] = other

    download(Remote(f"{web.url}/w.pth"), tmp_path / "w", show)
    assert (tmp_path / "w").read_bytes() == other


def test_a_file_that_changes_all_the_time_is_given_up(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT

    def show(done: int, _total: int | None) -> None:
        if done == 3000:
            web.files["/w.pth"] = os.urandom(len(CONTENT))

    with pytest.raises(ModelFileError, match="changed 3 times"):
        download(Remote(f"{web.url}/w.pth"), tmp_path / "w", show)


def test_a_server_without_ranges_gives_the_whole(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.ranges = False
    fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT
    # What is here already is of no use there: the whole comes again.
    (tmp_path / "w").write_bytes(CONTENT[:2000])
    assert fetch(f"{web.url}/w.pth", tmp_path / "w")[-1] == len(CONTENT)
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_a_server_without_ranges_that_cuts_is_asked_from_the_beginning(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.ranges = False
    web.cut_after = [2500, 2500, 4000]
    fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_without_a_length_the_whole_comes(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.sized = False
    fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_without_a_tag_nothing_is_resumed(web: Any, tmp_path: Path) -> None:
    web.files["/w.pth"] = CONTENT
    web.tagged = False
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{web.url}/w.pth", tmp_path / "w", stop_at=3000)
    web.files["/w.pth"] = CONTENT[::-1]
    assert fetch(f"{web.url}/w.pth", tmp_path / "w")[0] == 0
    assert (tmp_path / "w").read_bytes() == CONTENT[::-1]


def memory(name: str, content: bytes) -> str:
    fsspec.filesystem("memory").pipe_file(f"/downloads/{name}", content)
    return f"memory://downloads/{name}"


def local(folder: Path) -> Callable[[str, bytes], str]:
    def put(name: str, content: bytes) -> str:
        (folder / name).write_bytes(content)
        return str(folder / name)

    return put


@pytest.mark.parametrize("kind", ["memory", "local"])
def test_other_storage_is_resumed_too(kind: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    put = memory if kind == "memory" else local(tmp_path / "there")
    uri = put("w.pth", CONTENT)
    with pytest.raises(KeyboardInterrupt):
        fetch(uri, tmp_path / "w", stop_at=2000)
    assert fetch(uri, tmp_path / "w")[0] == 2000
    assert (tmp_path / "w").read_bytes() == CONTENT


@pytest.mark.s3
def test_s3_is_resumed_too(s3: Any, tmp_path: Path) -> None:
    uri = f"{s3.bucket('models')}/w.pth"
    s3.fs.pipe_file(uri, CONTENT)
    remote = Remote(uri, s3.options)
    (tmp_path / "w").write_bytes(CONTENT[:2000])
    state = remote.state()
    note = {"size": state.size, "marks": dict(state.marks)}
    (tmp_path / "w.json").write_text(json.dumps(note))
    seen: list[int] = []
    download(remote, tmp_path / "w", lambda done, _: seen.append(done))
    assert seen[0] == 2000
    assert (tmp_path / "w").read_bytes() == CONTENT
    s3.fs.pipe_file(uri, CONTENT[::-1])
    (tmp_path / "w").write_bytes(CONTENT[:2000])
    download(remote, tmp_path / "w", lambda _done, _total: None)
    assert (tmp_path / "w").read_bytes() == CONTENT[::-1]


def test_what_is_not_there_is_said_at_once(web: Any, tmp_path: Path) -> None:
    for uri in (f"{web.url}/w.pth", str(tmp_path / "gone.pth"), "memory://downloads/gone.pth", str(tmp_path)):
        with pytest.raises(FileNotFoundError):
            fetch(uri, tmp_path / "w")


def test_too_small_a_disk_is_said_before_anything_comes(
    web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files["/w.pth"] = CONTENT
    monkeypatch.setattr(downloading, "SPARE_BYTES", 1 << 60)
    with pytest.raises(ModelFileError, match="make room"):
        fetch(f"{web.url}/w.pth", tmp_path / "w")
    assert web.gets() == []
