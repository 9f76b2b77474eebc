"""At most one commit a unit, whatever the storage does to replies."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import layout
from pipeline.errors import LedgerError
from pipeline.ledger import Attempt, Commit, Ledger, Quarantined
from pipeline.local_disk import PART
from pipeline.parts import outputs_table, write_part
from pipeline.plan import UnitRef
from pipeline.records import Output, Unit
from pipeline.sinks.contract import shard_name
from pipeline.storage import Folder

OUTPUTS = [Output("a.tif", 3, "00", "image", "a.tif"), Output("a.tif.json", 4, "11", "record", "a.tif")]


def commit_of(attempt: Attempt, tables: tuple[Output, ...] = ()) -> Commit:
    row = Quarantined("b.tif", "s/b.tif", "truncated", "the file ends early", "decode")
    ids = (attempt.unit_id, 0, 0, attempt.number, attempt.token)
    return Commit(*ids, 2, 1, (row,), 2, 7, tables, counts={"faces": 2})


def listed(folder: Folder, attempt: Attempt) -> tuple[Output, ...]:
    ref = UnitRef(attempt.unit_id, 0, 0, "000", 0, 0, 2)
    return (write_part(folder, ref, attempt.number, layout.OUTPUTS, outputs_table(attempt.unit_id, OUTPUTS)),)


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


def test_a_half_written_mark_is_no_attempt(tmp_path: Path) -> None:
    """A process that was killed while it wrote one leaves such a file."""
    folder = tmp_path / layout.attempts_of("u")
    folder.mkdir(parents=True)
    (folder / f"{PART}host-1-abc").write_text("{")
    assert Ledger(Folder(str(tmp_path))).begin("u").number == 1


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


def test_outputs_are_named_in_a_part_that_the_commit_holds_to_its_hash(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    ledger = Ledger(folder)
    attempt = ledger.begin("0123456789abcdef0123")
    ledger.commit(commit_of(attempt, listed(folder, attempt)))
    commit = ledger.find(attempt.unit_id)
    assert commit is not None
    assert ledger.outputs(commit) == OUTPUTS
    assert list(ledger.all_outputs(["nobody", attempt.unit_id])) == OUTPUTS
    part = tmp_path / commit.listing.path
    data = part.read_bytes()
    part.write_bytes(data.replace(b"a.tif", b"b.tif"))
    with pytest.raises(LedgerError, match=r"other bytes than its commit names; remove the commit \(commits/01234567"):
        ledger.outputs(commit)
    part.unlink()
    with pytest.raises(LedgerError, match="is missing"):
        ledger.outputs(commit)


def test_a_commit_of_a_thousand_outputs_is_small(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    ledger = Ledger(folder)
    attempt = ledger.begin("0123456789abcdef0123")
    many = [Output(f"box/{n}.tif", n, f"{n:064x}", "image", f"box/{n}.tif") for n in range(1000)]
    ref = UnitRef(attempt.unit_id, 0, 0, "000", 0, 0, 1000)
    part = write_part(folder, ref, 1, layout.OUTPUTS, outputs_table(attempt.unit_id, many))
    commit = commit_of(attempt, (part,))
    assert len(commit.to_bytes()) < 1024
    assert ledger.outputs(commit) == many


def test_what_a_listing_misses_is_found_by_its_name(tmp_path: Path) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    ledger.commit(commit_of(ledger.begin("u1")))
    assert not ledger.lacks(["u1"])
    assert ledger.lacks(["u1", "u2"])


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("shard-000003-01234567-a12.tar", layout.Owner(3, "01234567", 12)),
        ("shard-1234567-01234567-a1.parquet", layout.Owner(1234567, "01234567", 1)),
        ("tables/faces/001-00000003-01234567-a2.parquet", layout.Owner(3, "01234567", 2)),
        ("box/shard-000003-01234567-a12.tar", None),
        ("shard-000003-01234567.tar", None),
        ("shard-000003-01234567-a1.tar.gz", None),
        ("tables/faces/notes.parquet", None),
        ("faces.parquet", None),
    ],
)
def test_names_of_shards_and_parts_say_whose_they_are(name: str, owner: layout.Owner | None) -> None:
    assert layout.owner_of(name) == owner


def test_names_that_are_given_are_names_that_are_recognised() -> None:
    unit = Unit("0123456789abcdef0123", 7, ())
    for suffix in (".tar", ".parquet"):
        assert layout.owner_of(shard_name(unit, 3, suffix)) == layout.Owner(7, "01234567", 3)
    assert layout.owner_of(layout.table_part("faces", 2, 7, unit.unit_id, 3)) == layout.Owner(7, "01234567", 3)
