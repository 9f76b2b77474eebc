"""Processes that end, or go on, in ways that the pipe to them does not tell."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipeline.driver import drive
from pipeline.errors import WorkerError
from pipeline.parcel import Parcel, Receipt
from pipeline.quarantine import standing
from pipeline.runners.local import LocalRunner
from pipeline.trail import Known
from pipeline.watched import host, watcher
from pipeline.watched.host import Process
from pipeline.watched.limits import Limits
from pipeline.watched.messages import Ready, Said, Task
from pipeline.watched.watcher import WatchedWorker
from tests.pipeline.bed import Bed

from .poison import hanging, poisoned

LIMITS = Limits(record_seconds=6.0, unit_seconds=60.0)


def ready(bed: Bed) -> Process:
    process = Process(replace(bed.spec, workflow=poisoned), (0, 1, 2))
    said: Said | None = None
    while said is None:
        said = process.hear(1.0)
    assert said == Ready()
    return process


def receipt_of(worker: WatchedWorker, bed: Bed) -> Receipt:
    receipt = Parcel.unpack(worker(Parcel(next(bed.run.refs())).pack())).receipt
    assert receipt is not None
    return receipt


@pytest.mark.parametrize("text", ["cut off", "leaves a child"])
def test_an_end_that_the_pipe_does_not_tell_is_a_crash(tmp_path: Path, text: str) -> None:
    """A message that breaks off; and a pipe that stays open, since a process of its own has inherited it."""
    bed = Bed(tmp_path, {"a.txt": "one", "b.txt": text, "c.txt": "two"}, unit_records=3)
    spec = replace(bed.spec, workflow=poisoned)
    outcome = drive(bed.run, LocalRunner(LIMITS), spec, "fused", 100, lambda tally, receipt: None)
    assert (outcome.state, outcome.tally.ok) == ("complete", 2)
    (row,) = standing(bed.run)
    assert (row.key, row.code) == ("b.txt", "worker_crashed")
    assert "exit code 7" in row.message


def test_a_process_that_ends_while_it_is_sent_a_unit(tmp_path: Path) -> None:
    process = ready(Bed(tmp_path, {"a.txt": "one"}))
    os.kill(process.pid, signal.SIGSTOP)  # it reads no more, so the pipe is full after some hundred kilobytes
    killer = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(1); os.kill({process.pid}, 9)"])
    process.send(Task(bytes(10**7), Known()))
    with pytest.raises(EOFError):
        while True:
            process.hear(1.0)
    assert process.ended() == -signal.SIGKILL
    killer.wait()
    process.close()


def test_a_process_that_is_to_end_and_goes_on_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "ENDING_SECONDS", 0.3)
    process = ready(Bed(tmp_path, {"a.txt": "one"}))
    os.kill(process.pid, signal.SIGSTOP)
    assert process.ended() == -signal.SIGKILL
    process.close()


def test_a_process_that_nobody_listens_to_ends_and_commits_nothing(tmp_path: Path) -> None:
    """An error of the pipe, raised in a stage, would be a failure of every record that is left."""
    bed = Bed(tmp_path, {f"{number}.txt": "slow" for number in range(4)}, unit_records=4)
    process = ready(bed)
    process.send(Task(Parcel(next(bed.run.refs())).pack(), Known()))
    while not bed.run.folder.names("attempts"):
        time.sleep(0.05)
    process._pipe.close()  # and not the lifeline, which ends it as well, but a moment later
    assert process.ended() == 1
    assert not bed.run.ledger.committed()
    process.close()


def test_a_process_that_ended_while_it_had_nothing_to_do_makes_no_unit_suspicious(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{number}.txt": "text" for number in range(4)}, unit_records=4)
    worker = WatchedWorker(replace(bed.spec, workflow=poisoned), (0, 1, 2), LIMITS)
    try:
        idle = psutil.Process(worker._process.pid)  # type: ignore[union-attr]
        idle.kill()
        while idle.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.02)
        receipt = receipt_of(worker, bed)
    finally:
        worker.close()
    assert (receipt.state, receipt.counts["batches"]) == ("done", 1)  # all at once, not one by one


def test_modules_are_not_looked_for_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = Bed(tmp_path / "bed", {"a.txt": "one"})
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [part for part in sys.path if part])
    ready(bed).close()


def test_nothing_is_left_of_processes_that_were_started_again(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {"a.txt": "one", "b.txt": "leaves"})
    worker = WatchedWorker(replace(bed.spec, workflow=poisoned), (0, 1, 2), LIMITS)
    files, children = open_files(), psutil.Process().children()
    assert receipt_of(worker, bed).codes == {"worker_crashed": 1}  # three processes later
    assert opened_since(files) == {}
    assert len(psutil.Process().children()) == len(children)  # the last process in the place of the first
    worker.close()


def open_files() -> Counter[str]:
    """What this process has open, by what it is; what earlier tests left to the garbage collector is gone."""
    gc.collect()
    found: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            # Pipes and deleted files of one kind are alike, whatever their numbers.
            found[re.sub(r"[0-9]+", "", str(entry.readlink()))] += 1
    return found


def opened_since(before: Counter[str]) -> Counter[str]:
    """What is open now and was not then; other threads get a moment to close theirs."""
    end = time.monotonic() + 5.0
    while (left := open_files() - before) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def test_a_process_that_cannot_be_started_is_no_records_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = Bed(tmp_path, {"a.txt": "one"})
    before = open_files()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    with pytest.raises(WorkerError, match=r"cannot be started.*gone"):
        WatchedWorker(bed.spec, (0, 1, 2), LIMITS)
    assert opened_since(before) == {}


def test_a_crash_while_others_are_killed_for_memory_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel counts kills of the whole machine; its own are by SIGKILL."""
    kills = iter(range(1000))
    monkeypatch.setattr(watcher, "killed_for_memory", lambda: next(kills))
    bed = Bed(tmp_path, {"a.txt": "segfault"})
    spec = replace(bed.spec, workflow=poisoned)
    drive(bed.run, LocalRunner(LIMITS), spec, "fused", 100, lambda tally, receipt: None)
    (row,) = standing(bed.run)
    assert row.code == "worker_crashed"
    assert "SIGSEGV" in row.message


def test_storage_that_hangs_outside_of_any_record_stops_the_run(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {"a.txt": "one"})
    limits = replace(LIMITS, storage_seconds=2.0)
    outcome = drive(
        bed.run, LocalRunner(limits), replace(bed.spec, workflow=hanging), "fused", 100, lambda tally, receipt: None
    )
    assert outcome.state == "storage"
    assert "while a unit was begun or committed" in outcome.message
