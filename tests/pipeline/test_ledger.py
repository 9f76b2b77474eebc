"""At most one commit a unit, whatever the storage does to replies."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pipeline import layout
from pipeline.ledger import Attempt, Commit, Ledger, Quarantined
from pipeline.records import Output
from pipeline.storage import Folder


def commit_of(attempt: Attempt) -> Commit:
    row = Quarantined("b.tif", "s/b.tif", "truncated", "the file ends early", "decode")
    output = Output("a.tif", 3, "00", "image", "a.tif")
    return Commit(attempt.unit_id, 0, 0, attempt.number, attempt.token, 2, 1, (row,), (output,), counts={"faces": 2})


def test_a_commit_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    commit = commit_of(ledger.begin("u1"))
    assert ledger.find("u1") is None
    assert ledger.commit(commit)
    assert ledger.find("u1") == commit
    assert ledger.committed() == {"u1"}
    assert list(ledger.commits(["u0", "u1"])) == [commit]


def test_attempts_are_numbered_without_gaps_or_doubles_under_a_race(tmp_path: Path) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    with ThreadPoolExecutor(8) as pool:
        attempts = list(pool.map(lambda _: ledger.begin("u"), range(16)))
    assert sorted(attempt.number for attempt in attempts) == list(range(1, 17))
    assert len({attempt.token for attempt in attempts}) == 16


def test_of_many_commits_of_a_unit_one_stands(tmp_path: Path) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    commits = [commit_of(ledger.begin("u")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(ledger.commit, commits))
    assert sum(won) == 1
    assert ledger.find("u") == commits[won.index(True)]


def test_a_lost_reply_is_no_lost_race(tmp_path: Path) -> None:
    """The put got through, its answer did not, and the repeated put is refused: the commit is ours all the same."""
    folder = Folder(str(tmp_path))
    ledger = Ledger(folder)
    ours, theirs = commit_of(ledger.begin("u")), commit_of(ledger.begin("u"))
    assert folder.create(layout.commit_mark("u"), ours.to_bytes())
    assert ledger.commit(ours)
    assert not ledger.commit(theirs)
    assert json.loads(folder.read(layout.commit_mark("u")))["token"] == ours.token


def test_commits_come_in_the_order_asked_for(tmp_path: Path) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    ids = [f"u{n:03d}" for n in range(300)]
    for unit_id in reversed(ids):
        ledger.commit(replace(commit_of(Attempt(unit_id, 1, unit_id)), token=unit_id))
    assert [commit.unit_id for commit in ledger.commits(ids)] == ids
