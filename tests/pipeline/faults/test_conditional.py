"""Finding out whether a store has create-only puts, by making two."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline import local_disk
from pipeline.conditional import conditional_put
from pipeline.local_disk import NoCreateOnlyError
from pipeline.storage import Folder

from .careless import LookingFirst, Overwriting, Refusing, Spiteful, folder_in


def test_stores_that_have_it(tmp_path: Path) -> None:
    for folder in (Folder(str(tmp_path)), folder_in_memory()):
        assert conditional_put(folder).conditional
        assert folder.names() == []


def folder_in_memory() -> Folder:
    return Folder(f"memory://{os.urandom(8).hex()}/out")


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        (Overwriting, "took a second"),
        (Refusing, "exclusive write is not supported"),
        (Spiteful, "overwrote the object all the same"),
        (LookingFirst, "looks whether a name is free"),
    ],
)
def test_stores_that_have_it_not(kind: type, lacks: str) -> None:
    folder = folder_in(kind)
    finding = conditional_put(folder)
    assert not finding.conditional
    assert lacks in finding.lacks
    assert folder.names() == []


@pytest.mark.s3
@pytest.mark.usefixtures("quick")
def test_s3_has_it_and_takes_six_requests_at_most(proxied) -> None:
    place = proxied()
    folder = place.folder()
    before = place.counts["requests"]
    assert conditional_put(folder).conditional
    assert place.counts["requests"] - before <= 6
    assert folder.names() == []
    place.rates(lost_reply=0.5)
    assert all(conditional_put(folder).conditional for _ in range(10)), "a lost reply is no missing condition"


@pytest.mark.s3
def test_s3_without_it(proxied) -> None:
    from botocore.credentials import Credentials

    place = proxied()
    place.proxy.change(unconditional=Credentials(place.direct.key, place.direct.secret))
    folder = place.folder()
    finding = conditional_put(folder)
    assert not finding.conditional
    assert "took a second" in finding.lacks
    assert place.counts["unconditional"] == 2
    assert folder.names() == []


@pytest.mark.s3
def test_s3_that_says_it_does_not_know_it(proxied) -> None:
    place = proxied()
    folder = place.folder()
    place.proxy.change(unknown_condition=True)
    finding = conditional_put(folder)
    assert not finding.conditional
    assert "NotImplemented" in finding.lacks


def no_links(source: Path, target: Path) -> None:
    """What FAT says, and many network mounts."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(source))


def test_a_disk_without_hard_links_refuses_by_its_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    folder = Folder(str(tmp_path))
    assert conditional_put(folder).conditional
    assert folder.create("a/x", b"first")
    assert not folder.create("a/x", b"second")
    assert folder.read("a/x") == b"first"
    assert folder.names() == ["a/x"]


def test_a_disk_with_neither_has_it_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(
        local_disk, "_RENAME_NOREPLACE", 1 << 30
    )  # the kernel answers EINVAL, as NFS does to the real one
    folder = Folder(str(tmp_path))
    with pytest.raises(NoCreateOnlyError, match="neither hard links"):
        folder.create("x", b"1")
    finding = conditional_put(folder)
    assert not finding.conditional
    assert "neither hard links" in finding.lacks
    assert folder.names() == []
