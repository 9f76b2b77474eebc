"""Snapshots of ledgers that were written by hand, against what can be counted by hand."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from jobs.watch import reading
from jobs.watch.follow import Follower
from jobs.watch.watcher import Watcher
from pipeline import layout
from pipeline.errors import StorageError
from pipeline.finish import finish
from pipeline.ledger import Commit, Ledger
from pipeline.marks import space
from pipeline.plan import PlanReader
from pipeline.quarantine import records_of, standing
from pipeline.records import Unit
from pipeline.run import plan_retry
from pipeline.storage import Folder
from pipeline.tally import tally_of
from tests.jobs.watch.constructed import Written


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each object was read."""
    counted: Counter[str] = Counter()
    read = Folder.read

    def counting(self: Folder, name: str) -> bytes:
        counted[f"{self.uri}/{name}".rpartition("/_facejobs/runs/")[2].partition("/")[2] or name] += 1
        return read(self, name)

    monkeypatch.setattr(Folder, "read", counting)
    return counted


def test_a_run_at_work_is_counted_as_by_hand(tmp_path: Path) -> None:
    ledger = Written(tmp_path, zero=time.time() - 100.0)
    for place, ref in enumerate(ledger.refs[:6]):
        bad = {"box/00001.tif": "truncated", "box/00002.tif": "truncated"} if place == 0 else {}
        ledger.commit(ref, 15.0 * place, 15.0 * (place + 1), "one" if place % 2 else "two", bad)
    ledger.mark(ledger.refs[6], 92.0, "one")
    ledger.mark(ledger.refs[7], 20.0, "two")
    ledger.mark(ledger.refs[7], 93.0, "two", number=2)
    snap = ledger.watcher().refresh()

    assert (snap.state, snap.at_work, snap.final, snap.kind) == ("incomplete", True, True, "restore")
    assert (snap.units_planned, snap.units_committed, snap.units_in_flight, snap.units_waiting) == (10, 6, 2, 2)
    assert (snap.records_planned, snap.records_ok, snap.records_quarantined, snap.records_todo) == (40, 22, 2, 16)
    assert (snap.round_records_done, snap.round_records, snap.tries_again) == (24, 40, 1)
    assert snap.counts == {"faces_found": 12, "bytes_in": 240, "faces_by:ort fp32 cpu": 12}
    assert (snap.engines, snap.bytes_in, snap.output_bytes, snap.output_objects) == ({"ort fp32 cpu": 12}, 240, 600, 22)
    [reason] = snap.quarantine
    assert (reason.code, reason.count) == ("truncated", 2)
    assert reason.example is not None
    assert reason.example.message == "it is truncated"
    assert [row.key for row in snap.newest_quarantined] == ["box/00002.tif", "box/00001.tif"]

    decode, restore = snap.stages
    assert (decode.name, decode.seconds, decode.share, decode.seconds_per_record) == ("decode", 6.0, 0.25, 0.25)
    assert (restore.seconds_per_record, restore.records_per_busy_second) == (0.75, pytest.approx(4 / 3))
    assert restore.busy == pytest.approx(18.0 / 90.0)
    assert snap.worked_seconds == pytest.approx(90.0)
    assert snap.rate_overall == pytest.approx(24 / 90.0)
    nodes = {node.host: node for node in snap.nodes}
    assert {host: (node.units, node.records, node.in_flight) for host, node in nodes.items()} == {
        "one": (3, 12, 1),
        "two": (3, 12, 1),
    }
    assert snap.rate_now is not None
    assert sum(node.rate for node in snap.nodes) == pytest.approx(snap.rate_now)
    assert nodes["one"].last_sign_seconds is not None
    assert 8.0 <= nodes["one"].last_sign_seconds < nodes["two"].last_sign_seconds + 2.0 < 1000.0
    assert snap.nodes_unread == 0
    assert json.loads(json.dumps(snap.to_json()))["eta"]["state"] == "too_early"


def test_nothing_is_read_twice(tmp_path: Path, reads: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 4)
    ledger = Written(tmp_path)
    watcher = ledger.watcher()
    seen = []
    for place, ref in enumerate(ledger.refs):
        ledger.mark(ref, 10.0 * place)
        if place in (1, 6):
            assert watcher.refresh().units_left == 1  # begun, and not heard of for long
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0)
        if place in (5, 6, 9):
            while (snap := watcher.refresh()).commits_unread:
                seen.append(snap.units_committed)
    watcher.refresh()
    ledger_reads = {name: count for name, count in reads.items() if name.startswith((layout.COMMITS, layout.ATTEMPTS))}
    assert set(ledger_reads.values()) == {1}
    assert sum(name.startswith(layout.COMMITS) for name in ledger_reads) == 10
    assert seen == [5]  # one was read before, and the next five came in two steps
    assert snap.units_committed == 10
    assert snap.nodes[0].units == 10


def test_a_finished_run_is_shown_by_its_manifest(tmp_path: Path, reads: Counter[str]) -> None:
    ledger = Written(tmp_path)
    for place, ref in enumerate(ledger.refs):
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0, bad={"box/00004.tif": "empty_file"} if place == 1 else {})
    finish(ledger.run)
    reads.clear()
    watcher = ledger.watcher()
    for _ in range(2):
        snap = watcher.refresh()
    assert not [name for name in reads if name.startswith((layout.COMMITS, layout.ATTEMPTS))]
    assert (snap.state, snap.records_ok, snap.records_quarantined, snap.eta.state) == ("complete", 39, 1, "done")
    assert (snap.round_records_done, snap.units_committed, snap.commits_unread) == (40, 10, 0)
    assert [(reason.code, reason.count, reason.example.key) for reason in snap.quarantine if reason.example] == [
        ("empty_file", 1, "box/00004.tif")
    ]
    assert snap.stages[0].seconds_per_record == pytest.approx(10 / 40)


def test_a_finished_run_that_has_lost_a_commit_is_not_called_complete(tmp_path: Path) -> None:
    ledger = Written(tmp_path)
    for place, ref in enumerate(ledger.refs):
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0)
    finish(ledger.run)
    ledger.run.folder.delete(layout.commit_mark(ledger.refs[3].unit_id))
    snap = ledger.watcher().refresh()
    assert (snap.state, snap.units_committed) == ("incomplete", 9)


@pytest.mark.parametrize("late", [False, True])
def test_a_retry_takes_records_out_of_quarantine_once(tmp_path: Path, late: bool) -> None:
    ledger = Written(tmp_path)
    watcher = ledger.watcher()
    for place, ref in enumerate(ledger.refs):
        keys = PlanReader(ledger.run.folder).keys(ref)
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0, bad={keys[0]: "truncated", keys[1]: "empty_file"})
    finish(ledger.run)
    if not late:
        assert watcher.refresh().records_quarantined == 20

    keys = {row.key for row in standing(ledger.run) if row.code == "truncated"}
    again = tuple(records_of(ledger.run, keys))
    plan_retry(ledger.run, [Unit("a" * 20, 0, again[:6]), Unit("b" * 20, 1, again[6:])], lambda record: record.key)
    first, second = (ref for ref in ledger.run.refs() if ref.round == 1)
    ledger.commit(first, 200.0, 210.0, bad={again[0].key: "too_large"})
    snap = watcher.refresh()
    assert (snap.state, snap.rounds, snap.round) == ("incomplete", 2, 1)
    assert (snap.round_units_committed, snap.round_records_done, snap.round_records) == (1, 6, 10)
    by_code = {reason.code: reason.count for reason in snap.quarantine}
    assert by_code == {"empty_file": 10, "truncated": 4, "too_large": 1}
    assert snap.records_ok == 25

    ledger.commit(second, 210.0, 220.0)
    snap = watcher.refresh()
    tally = tally_of(ledger.run)
    assert (snap.records_ok, snap.records_quarantined) == (tally.ok, tally.quarantined) == (29, 11)
    assert {reason.code: reason.count for reason in snap.quarantine} == dict(tally.codes)
    examples = {reason.code: reason.example.key for reason in snap.quarantine if reason.example}
    assert examples["too_large"] == again[0].key
    assert examples["empty_file"] not in keys


def test_whether_somebody_is_at_work_is_told_by_marks_and_ages(tmp_path: Path) -> None:
    now = time.time()
    ledger = Written(tmp_path, zero=now - 600.0)
    assert not ledger.watcher().refresh().at_work
    for place, ref in enumerate(ledger.refs[:4]):
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0)
    old = ledger.watcher().refresh()
    assert not old.at_work
    assert "a slow unit takes 9 s" in old.at_work_because
    assert (old.eta.state, old.rate_now, old.units_in_flight) == ("idle", None, 0)

    ledger.mark(ledger.refs[4], 590.0)
    assert ledger.watcher().refresh().at_work
    # The process of this mark would be on this machine, in this very name space of processes, and it is not there.
    gone = max(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()) + 100_000
    ledger.mark(ledger.refs[4], 570.0, pid=gone, space=space())
    dead = ledger.watcher().refresh()
    assert not dead.at_work
    assert "gone from this machine" in dead.at_work_because
    assert (dead.units_in_flight, dead.units_waiting, dead.units_left) == (0, 6, 1)


def test_a_commit_that_was_seen_to_come_is_a_sign_of_life_whatever_its_clock(tmp_path: Path) -> None:
    ledger = Written(tmp_path, zero=time.time() - 7200.0)
    ledger.commit(ledger.refs[0], 0.0, 9.0)
    watcher = ledger.watcher()
    assert not watcher.refresh().at_work
    ledger.commit(ledger.refs[1], 10.0, 19.0)
    assert watcher.refresh().at_work


def test_the_last_run_of_an_output_is_followed(tmp_path: Path) -> None:
    first = Written(tmp_path, name="first")
    watcher = first.watcher()
    first.commit(first.refs[0], 0.0, 9.0)
    assert watcher.refresh().replaced_run == ""
    second = Written(tmp_path, records=8, name="second")
    snap = watcher.refresh()
    assert (snap.name, snap.replaced_run, snap.units_committed) == ("second", first.run.header.run_id, 0)
    second.commit(second.refs[0], 0.0, 9.0)
    assert watcher.refresh().units_committed == 1


def test_pairs_follow_their_survey(tmp_path: Path) -> None:
    survey = Written(tmp_path, records=8, kind="survey", below="_facejobs/surveys/0123456789abcdef")
    watcher = survey.watcher()
    for place, ref in enumerate(survey.refs):
        survey.commit(ref, 10.0 * place, 10.0 * place + 9.0)
    finish(survey.run)
    snap = watcher.refresh()
    assert (snap.kind, snap.state, snap.final) == ("survey", "complete", False)
    pairs = Written(tmp_path, records=4, kind="pairs")
    snap = watcher.refresh()
    assert (snap.kind, snap.run_id, snap.final) == ("pairs", pairs.run.header.run_id, True)


def test_what_storage_fails_at_is_read_again_and_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Written(tmp_path)
    for place, ref in enumerate(ledger.refs):
        ledger.commit(ref, 10.0 * place, 10.0 * place + 9.0, bad={f"box/{4 * place:05d}.tif": "truncated"})
    find, fails = Ledger.find, [True, False, True, True]

    def finding(self: Ledger, unit_id: str) -> Commit | None:
        if unit_id == ledger.refs[5].unit_id and fails and fails.pop():
            raise StorageError("the bucket is away")
        return find(self, unit_id)

    monkeypatch.setattr(Ledger, "find", finding)
    watcher = ledger.watcher()
    for _ in range(2):
        with pytest.raises(StorageError):
            watcher.refresh()
    snap = watcher.refresh()
    assert (snap.units_committed, snap.records_ok, snap.records_quarantined) == (10, 30, 10)
    assert sum(node.units for node in snap.nodes) == 10


def test_a_job_file_names_its_output(tmp_path: Path) -> None:
    ledger = Written(tmp_path)
    ledger.commit(ledger.refs[0], 0.0, 9.0)
    job = {"job": "restore", "name": "prints", "source": {"kind": "files", "uri": "in"}, "output": {"uri": "out"}}
    (tmp_path / "job.yaml").write_text(json.dumps(job))
    follower = Follower(str(tmp_path / "job.yaml"))
    assert (follower.run.header.run_id, follower.final) == (ledger.run.header.run_id, True)
    assert Watcher(follower).refresh().units_committed == 1
