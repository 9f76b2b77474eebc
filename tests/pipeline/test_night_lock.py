"""The lock that keeps two nights apart."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline import layout, writer_lock
from pipeline.errors import RunConflictError
from pipeline.night_lock import NightInProgressError, NightLock
from pipeline.storage import Folder
from pipeline.writer_lock import Holder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_lock, "BEAT_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path))


def held(folder: Folder, **facts: object) -> Holder:
    """A lock that another machine's process has put."""
    holder = replace(Holder.me(), token="theirs", host="elsewhere", space="another machine", **facts)  # type: ignore[arg-type]
    folder.write(layout.NIGHT_LOCK, json.dumps(asdict(holder)).encode())
    return holder


def test_it_is_there_while_it_is_held(folder: Folder) -> None:
    lock = NightLock(folder)
    lock.acquire()
    assert folder.exists(layout.NIGHT_LOCK)
    with pytest.raises(NightInProgressError, match="another night"):
        NightLock(folder).acquire()
    lock.check()
    lock.release()
    assert not folder.exists(layout.NIGHT_LOCK)
    NightLock(folder).acquire()


def test_one_that_is_renewed_is_respected(folder: Folder) -> None:
    held(folder)
    with pytest.raises(NightInProgressError):
        NightLock(folder).acquire()


def test_one_whose_process_is_gone_is_taken_over_at_once(folder: Folder) -> None:
    dead = replace(Holder.me(), token="theirs", pid=2**22 + 1)
    folder.write(layout.NIGHT_LOCK, json.dumps(asdict(dead)).encode())
    lock = NightLock(folder)
    lock.acquire()
    assert json.loads(folder.read(layout.NIGHT_LOCK))["token"] == lock.me.token
    lock.release()
    assert not folder.exists(layout.NIGHT_LOCK)


def test_one_of_another_machine_is_taken_over_when_it_is_renewed_no_more(folder: Folder) -> None:
    held(folder, renewed=0.0)
    lock = NightLock(folder)
    lock.acquire()
    lock.check()
    lock.release()


def test_of_many_that_find_a_dead_one_a_single_one_takes_it(folder: Folder) -> None:
    held(folder, renewed=0.0)
    locks = [NightLock(folder) for _ in range(8)]
    outcomes: list[str] = []
    gate = threading.Barrier(len(locks))

    def take(lock: NightLock) -> None:
        gate.wait()
        try:
            lock.acquire()
            outcomes.append("taken")
        except NightInProgressError:
            outcomes.append("refused")

    threads = [threading.Thread(target=take, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["taken"]


def test_a_holder_whose_lock_was_taken_is_told(folder: Folder) -> None:
    lock = NightLock(folder)
    lock.acquire()
    held(folder)
    threading.Event().wait(0.5)
    with pytest.raises(RunConflictError, match="was taken by"):
        lock.check()
    lock.release()
    assert json.loads(folder.read(layout.NIGHT_LOCK))["token"] == "theirs"
