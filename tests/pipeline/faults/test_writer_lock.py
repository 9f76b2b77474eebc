"""Single-writer mode: who holds an output, who is refused, who takes over, and who is stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace

import pytest

from pipeline import layout, writer_lock
from pipeline.errors import RunConflictError, StorageError
from pipeline.storage import Folder
from pipeline.writer_lock import EXPIRY_SECONDS, Holder, SoleWriters

from .careless import Overwriting, folder_in


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(writer_lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(writer_lock, "PAUSE_SECONDS", 0.05)
    return folder_in(Overwriting)


def writers() -> SoleWriters:
    return SoleWriters(lambda text: None)


def held_by(folder: Folder, **changes: object) -> Holder:
    """A lock that another driver has left or holds."""
    other = replace(replace(Holder.me(), host="elsewhere", space="another boot"), **changes)  # type: ignore[arg-type]
    folder.write(layout.WRITER, json.dumps(asdict(other)).encode())
    return other


def test_a_store_with_conditional_put_is_not_locked(tmp_path) -> None:
    said: list[str] = []
    folder = Folder(str(tmp_path))
    with SoleWriters(said.append) as ours:
        assert ours.output(folder) == folder
        assert folder.names() == []
    assert said == []


def test_it_is_said_once_and_let_go_of(folder: Folder) -> None:
    said: list[str] = []
    with SoleWriters(said.append) as ours:
        held = ours.output(folder)
        assert ours.output(folder) is held
        assert held.sole is not None
        assert held.child("runs").sole == held.sole
        assert folder.exists(layout.WRITER)
    assert folder.names() == []
    assert len(said) == 1
    for word in ("single-writer mode", "took a second create-only put", "Still promised", "Not promised"):
        assert word in said[0]


def test_a_second_driver_is_refused_with_the_holders_name(folder: Folder) -> None:
    with writers() as first:
        first.output(folder)
        with writers() as second, pytest.raises(RunConflictError, match=r"writer.json: another driver.*process \d+ on"):
            second.output(folder)
        first.check()
        assert folder.exists(layout.WRITER), "the refused one left it alone"
    with writers() as third:
        assert third.output(folder).sole is not None


def test_of_two_that_start_at_once_one_is_refused(folder: Folder) -> None:
    """Both find the place free before either has written."""
    looked, ended = threading.Barrier(2), threading.Barrier(2)
    ends: list[str] = []

    mine = threading.local()

    class Looking(Folder):
        def read(self, name: str) -> bytes:
            if name == layout.WRITER and not mine.looked:
                mine.looked = True
                looked.wait()
                raise FileNotFoundError(name)
            return super().read(name)

    def run() -> None:
        mine.looked = False
        with writers() as ours:
            try:
                ours.output(Looking(folder.uri))
                ends.append("held")
            except RunConflictError:
                ends.append("refused")
            ended.wait()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["held", "refused"]


def test_a_lock_that_was_not_renewed_is_taken_over(folder: Folder) -> None:
    held_by(folder, renewed=time.time() - EXPIRY_SECONDS + 30)
    with writers() as ours, pytest.raises(RunConflictError, match="elsewhere"):
        ours.output(folder)
    held_by(folder, renewed=time.time() - EXPIRY_SECONDS - 1)
    with writers() as ours:
        ours.output(folder)
        ours.check()


def test_a_holder_whose_clock_is_wrong_is_seen_to_be_alive(folder: Folder) -> None:
    other = held_by(folder, renewed=time.time() - 10 * EXPIRY_SECONDS)
    end = threading.Event()

    def renew() -> None:
        beats = 0
        while not end.wait(0.02) and json.loads(folder.read(layout.WRITER))["token"] == other.token:
            beats += 1
            folder.write(layout.WRITER, json.dumps(asdict(replace(other, beats=beats))).encode())

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        with writers() as ours, pytest.raises(RunConflictError, match="elsewhere"):
            ours.output(folder)
    finally:
        end.set()
        thread.join()


def test_a_holder_that_was_killed_on_this_machine_is_taken_over_at_once(folder: Folder) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    held_by(folder, space=Holder.me().space, pid=ended.pid)
    with writers() as ours:
        assert ours.output(folder).sole is not None


def test_who_was_replaced_writes_nothing_more_and_stops(folder: Folder) -> None:
    with writers() as ours:
        held = ours.output(folder)
        run = held.child("runs/1")
        assert run.create("commits/a.json", b"first")
        assert not run.create("commits/a.json", b"second")
        assert run.read("commits/a.json") == b"first"
        other = held_by(folder)
        with pytest.raises(StorageError, match="taken this output over"):
            run.create("commits/b.json", b"first")
        assert not run.exists("commits/b.json")
        with pytest.raises(RunConflictError, match=f"was taken by process {other.pid} on elsewhere"):
            wait_for(ours)
        called: list[int] = []
        with pytest.raises(RunConflictError):
            ours.checking(called.append)(1)
        assert called == []
    assert json.loads(folder.read(layout.WRITER))["token"] == other.token, "another's lock is left alone"


def test_a_lock_that_somebody_removed_stops_the_run(folder: Folder) -> None:
    with writers() as ours:
        held = ours.output(folder)
        folder.delete(layout.WRITER)
        with pytest.raises(StorageError, match="was removed"):
            held.create("x", b"1")
        with pytest.raises(RunConflictError, match="was removed"):
            wait_for(ours)


def test_a_lock_is_renewed(folder: Folder) -> None:
    with writers() as ours:
        ours.output(folder)
        deadline = time.monotonic() + 20
        while json.loads(folder.read(layout.WRITER))["beats"] < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        ours.check()


def test_a_lock_that_cannot_be_renewed_stops_the_run(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_lock, "EXPIRY_SECONDS", 0.5)

    class Gone(Folder):
        def read(self, name: str) -> bytes:
            if gone.is_set():
                raise StorageError("no answer")
            return super().read(name)

    gone = threading.Event()
    with writers() as ours:
        ours.output(Gone(folder.uri))
        gone.set()
        with pytest.raises(RunConflictError, match="could not be renewed"):
            wait_for(ours)
        gone.clear()


def wait_for(ours: SoleWriters) -> None:
    """Check until it raises."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ours.check()
        time.sleep(0.02)
