"""Nights that are cut off, and nights that are started together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.exits import Exit
from jobs.nightly import run as nights
from jobs.nightly import settle
from pipeline import layout

from .conftest import Collection, due, face, wall

SLOW: dict[str, Any] = {
    "restore": {"model": "classic"},
    "score": {"measures": ["sharpness", "niqe", "identity"]},
    "run": {"unit_records": 2},
}


def begun(job: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", str(job)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def commits(collection: Collection) -> int:
    return len(list(collection.output.glob("_facejobs/runs/*/commits/*.json")))


def killed_after(collection: Collection, count: int, **blocks: Any) -> None:
    """Begin a night, and kill it once there are so many commits more."""
    there = commits(collection)
    process = begun(collection.job(**blocks))
    limit = time.monotonic() + 120
    while commits(collection) < there + count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture
def many(collection: Collection) -> Collection:
    collection.blocks = SLOW
    for number in range(16):
        collection.put(f"face-{number:02d}.png", face(number, 160))
    return collection


def test_the_next_night_first_finishes_what_was_left(many: Collection) -> None:
    killed_after(many, 2)
    first = many.run()
    assert not first.complete
    done = sum(commit.ok for commit in first.ledger.commits(ref.unit_id for ref in first.refs()))
    assert 0 < done < 16
    many.put("late.png", wall(1))
    account = many.night(code=Exit.DONE)
    assert due(account) == {"resumed": 16 - done, "new": 1}
    assert account["done"] == 17 - done
    assert first.complete
    assert many.run().header.follows == first.header.run_id
    assert [row["status"] for row in many.catalog().values()] == ["current"] * 17
    undisturbed = Collection(many.root / "undisturbed", many.blocks)
    for path in sorted(many.source.iterdir()):
        undisturbed.put(path.name, path.read_bytes())
    undisturbed.night()
    mine, theirs = many.derivatives(), undisturbed.derivatives()
    assert {name: sha for name, sha in mine.items() if name.endswith(".png")} == {
        name: sha for name, sha in theirs.items() if name.endswith(".png")
    }
    assert many.call("verify", many.output).exit_code == 0
    assert many.night()["planned"] == 0


def test_a_night_that_was_left_by_another_job_is_planned_anew(many: Collection) -> None:
    """What it has done stays done where the new settings allow it, and the rest is due again."""
    killed_after(many, 2)
    first = many.run()
    done = sum(commit.ok for commit in first.ledger.commits(ref.unit_id for ref in first.refs()))
    account = many.night(code=Exit.DONE, restore={"model": "classic", "strength": 0.5})
    assert first.closed
    assert not first.complete
    assert due(account) == {"new": 16 - done}
    assert account["differs"] == done
    account = many.night(restore={"model": "classic", "strength": 0.5}, selection={"outdated": "settings"})
    assert due(account) == {"outdated": done}
    assert many.call("verify", many.output).exit_code == 0


def test_budgets_count_what_the_night_before_has_left(many: Collection) -> None:
    killed_after(many, 2)
    first = many.run()
    done = sum(commit.ok for commit in first.ledger.commits(ref.unit_id for ref in first.refs()))
    many.put("late.png", wall(1))
    account = many.night(selection={"budget": {"records": 3}})
    assert (account["due"], account["listed"]) == ({"resumed": 16 - done}, None)
    assert account["why_ended"] == "records"
    assert due(many.night()) == {"new": 1}


def test_two_nights_started_together(many: Collection) -> None:
    job = many.job()
    running = [begun(job), begun(job)]
    said = [process.communicate(timeout=300) for process in running]
    codes = sorted(process.returncode for process in running)
    assert codes == [Exit.DONE, Exit.BUSY], said
    assert len(many.runs()) == 1
    loser = next(said[place][1] for place, process in enumerate(running) if process.returncode == Exit.BUSY)
    assert "another night of this collection is under way" in loser
    assert many.last()["done"] == 16
    assert not (many.output / layout.NIGHT_LOCK).exists()


@pytest.mark.parametrize("place", ["_take_away", "keep_state"])
def test_cut_off_after_its_work(collection: Collection, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the manifest and the collection's state nothing is lost, and nothing is done twice."""
    for number in range(20):
        collection.put(f"wall-{number:02d}.png", wall(number))
    bury: dict[str, Any] = {"selection": {"deleted": {"action": "tombstone"}}}
    collection.night(**bury)
    (collection.source / "wall-00.png").unlink()
    collection.put("wall-01.png", wall(50))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(settle, place, cut_off)
        assert collection.call("run", collection.job(**bury)).exit_code == Exit.INTERRUPTED
    account = collection.night(**bury)
    assert (account["planned"], account["tombstoned"], account["number"]) == (0, 0, 2)
    assert not (collection.output / "wall-00.png").exists()
    assert len(list((collection.output / "_facejobs" / "tombstones").rglob("*.json"))) == 1
    assert collection.sums()["by_status"] == {"current": 19, "tombstoned": 1}
    assert collection.call("verify", collection.output).exit_code == 0


def test_cut_off_before_its_run_exists(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    collection.put("wall.png", wall(1))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(nights, "plan_night", cut_off)
        assert collection.call("run", collection.job()).exit_code == Exit.INTERRUPTED
    assert not (collection.output / layout.NIGHT_LOCK).exists()
    assert due(collection.night()) == {"new": 1}
