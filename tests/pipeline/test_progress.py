"""What stages keep on their way: found by the next attempt, gone after the commit, and no fault of a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.progress import UnitProgress, drop_progress
from pipeline.storage import Folder


def test_another_attempt_finds_it_and_another_unit_does_not(tmp_path: Path) -> None:
    run, keys = Folder(str(tmp_path)), set[str]()
    first = UnitProgress(run, "unit-a", keys)
    assert first.load("face") is None
    first.save("face", b"half way")
    first.save("face", b"further")
    first.save("other", b"begun")
    assert UnitProgress(run, "unit-a", set()).load("face") == b"further"
    assert UnitProgress(run, "unit-b", set()).load("face") is None
    assert keys == {"face", "other"}


def test_it_goes_with_the_commit(tmp_path: Path) -> None:
    run, keys = Folder(str(tmp_path)), set[str]()
    UnitProgress(run, "unit-b", set()).save("face", b"of another")
    progress = UnitProgress(run, "unit-a", keys)
    progress.save("face", b"further")
    progress.load("never-kept")
    drop_progress(run, "unit-a", keys)
    assert run.names("progress") == ["progress/unit-b/face"]
    drop_progress(run, "unit-a", keys)  # again is fine


def test_storage_that_fails_is_said_to_be_storage(tmp_path: Path) -> None:
    (tmp_path / "progress").write_bytes(b"a file where a folder should be")
    progress = UnitProgress(Folder(str(tmp_path)), "unit-a", set())
    with pytest.raises(StorageError, match="progress"):
        progress.save("face", b"state")
