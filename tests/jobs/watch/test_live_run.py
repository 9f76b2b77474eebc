"""A real run, driven in a thread one unit at a time, and watched meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.exits import Exit
from jobs.main import app
from jobs.watch.follow import Follower
from jobs.watch.loop import Loop, Seen
from jobs.watch.snapshot import Snapshot
from jobs.watch.watcher import Watcher
from pipeline.driver import drive
from pipeline.errors import StorageError
from pipeline.records import Item
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.tally import tally_of
from pipeline.worker import WorkerSpec
from tests.pipeline.bed import Bed, Load, Put, Upper, workflow

TEXTS = {f"box/{number}.txt": "bad" if number in (3, 4) else "good" for number in range(12)}


@dataclass
class Gate:
    """A stage that lets a record pass for every release."""

    gate: threading.Semaphore
    name: str = "gate"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        assert self.gate.acquire(timeout=60.0)


@dataclass
class Driven:
    bed: Bed
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    state: str = ""

    def drive(self) -> None:
        plain = workflow()
        gated = Workflow(
            Segment("front", (Gate(self.gate), Load())),
            Segment("middle", (Upper(),)),
            Segment("back", (Put(),)),
            plain.count,
            plain.rows,
            plain.tables,
        )
        bed = self.bed
        spec = WorkerSpec(bed.run.folder, bed.source, SinkSpec("mirror", bed.run.outputs), lambda: gated)
        self.state = drive(bed.run, LocalRunner(), spec, "fused", 100, lambda tally, receipt: None).state

    @contextmanager
    def going_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self.drive)
        thread.start()
        try:
            yield
        finally:
            for _ in range(100):
                self.gate.release()
            thread.join(60.0)

    def pass_on(self, records: int) -> None:
        for _ in range(records):
            self.gate.release()

    @property
    def place(self) -> str:
        return self.bed.output.uri


@pytest.fixture
def driven(tmp_path: Path) -> Driven:
    return Driven(Bed(tmp_path, TEXTS, unit_records=2))


def until(watcher: Watcher, there: Callable[[Snapshot], bool]) -> Snapshot:
    deadline = time.monotonic() + 30.0
    while True:
        snap = watcher.refresh()
        if there(snap):
            return snap
        assert time.monotonic() < deadline, snap
        time.sleep(0.02)


def newer(loop: Loop, there: Callable[[Seen], bool]) -> Seen:
    deadline, seen = time.monotonic() + 30.0, loop.seen
    while not there(seen):
        assert time.monotonic() < deadline, seen
        seen = loop.wait(seen.version, 1.0)
    return seen


def test_every_unit_is_seen_as_it_ends(driven: Driven) -> None:
    watcher = Watcher(Follower(driven.place))
    assert (snap := watcher.refresh()).units_committed == 0
    assert (snap.at_work, snap.records_todo) == (False, 12)
    with driven.going_on():
        snap = until(watcher, lambda snap: snap.units_in_flight == 1)
        assert (snap.at_work, snap.units_waiting) == (True, 5)
        for units in range(1, 6):
            driven.pass_on(2)
            snap = until(watcher, lambda snap, units=units: snap.units_committed == units and snap.units_in_flight == 1)
            tally = tally_of(driven.bed.run)
            assert (snap.records_ok, snap.records_quarantined) == (tally.ok, tally.quarantined)
            assert dict(snap.counts) == dict(tally.counts)
            assert snap.records_todo == 12 - 2 * units
        driven.pass_on(2)
        snap = until(watcher, lambda snap: snap.complete)
    assert driven.state == "complete"
    assert (snap.records_ok, snap.records_quarantined, snap.units_in_flight) == (10, 2, 0)
    assert {row.key for row in snap.newest_quarantined} == {"box/3.txt", "box/4.txt"}
    assert [node.units for node in snap.nodes] == [6]
    # Who comes later sees the same from the manifest.
    late = Watcher(Follower(driven.place)).refresh()
    assert (late.records_ok, late.quarantine[0].count, late.finished) == (10, 2, snap.finished)


def test_without_a_terminal_there_is_a_line_an_interval_and_the_end_of_the_run_is_the_end(driven: Driven) -> None:
    with driven.going_on():
        driven.pass_on(12)
        result = CliRunner().invoke(app, ["status", driven.place, "--watch", "--every", "0.2"])
    assert result.exit_code == Exit.DONE
    last = result.stdout.splitlines()[-1]
    assert f"texts {driven.bed.run.header.run_id}: complete, 100 %, 12 of 12 records, 2 in quarantine, 6 of 6" in last
    assert "\x1b" not in result.stdout


def test_storage_that_fails_is_said_and_asked_again(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    walk, failing = Folder.walk, threading.Event()

    def walks(self: Folder, prefix: str = "") -> object:
        if failing.is_set() and threading.current_thread().name == "watch":
            raise StorageError(f"{self.uri}: the bucket is away")
        return walk(self, prefix)

    monkeypatch.setattr(Folder, "walk", walks)
    with driven.going_on(), Loop(Watcher(Follower(driven.place)), 0.05) as loop:
        seen = loop.wait(0, 30.0)
        assert seen.snapshot is not None
        assert seen.trouble(str) == ""
        failing.set()
        driven.pass_on(2)
        seen = newer(loop, lambda seen: bool(seen.problem))
        assert "the bucket is away" in seen.trouble(str)
        assert seen.snapshot is not None  # what was known is still shown
        failing.clear()
        seen = newer(loop, lambda seen: not seen.problem and seen.snapshot.units_committed > 0)
        assert seen.snapshot is not None
        assert seen.snapshot.units_committed == 1


def test_a_storage_that_does_not_answer_is_said(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, reached = threading.Event(), threading.Event()
    walk = Folder.walk

    def walks(self: Folder, prefix: str = "") -> object:
        reached.set()
        hanging.wait(60.0)
        return walk(self, prefix)

    monkeypatch.setattr(Folder, "walk", walks)
    with Loop(Watcher(Follower(driven.place)), 0.05) as loop:
        assert reached.wait(30.0)
        asking = loop.seen.asking
        assert asking is not None
        assert loop.seen.trouble(str, now=asking + 5.0) == ""
        assert "has not answered for 31 s" in loop.seen.trouble(str, now=asking + 31.0)
        hanging.set()


def test_nobody_looking_means_nothing_read(driven: Driven) -> None:
    wanted = threading.Event()
    with Loop(Watcher(Follower(driven.place)), 0.05, wanted.is_set) as loop:
        assert loop.wait(0, 0.5).version == 0
        wanted.set()
        assert loop.wait(0, 30.0).version == 1


def test_a_defect_is_raised_where_it_can_be_said(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(Follower(driven.place))
    monkeypatch.setattr(watcher, "refresh", lambda: 1 / 0)
    with Loop(watcher, 0.05) as loop, pytest.raises(ZeroDivisionError):
        loop.wait(0, 30.0)
