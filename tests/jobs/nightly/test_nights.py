"""Nights of a collection: what is due is done, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.exits import Exit
from jobs.nightly.run import _Night
from pipeline.night_lock import NightLock
from pipeline.sources import objects
from pipeline.storage import Folder

from .conftest import Collection, due, face, wall

CLASSIC = {"restore": {"model": "classic"}}


def test_a_thousand_records_over_three_nights(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line 1 of what the nightly run must show."""
    collection.blocks = {"run": {"unit_records": 200}}
    for number in range(997):
        collection.put(f"box{number % 7}/wall-{number:04d}.png", wall(number, 24))
    for number in range(3):
        collection.put(f"broken-{number}.png", b"not a picture")
    first = collection.night()
    assert due(first) == {"new": 1000}
    assert (first["done"], first["quarantined"], first["number"]) == (997, 3, 1)
    one = collection.run().header.run_id
    before = collection.derivatives()

    for number in range(20):
        collection.put(f"box8/late-{number}.png", wall(2000 + number, 24))
    changed = [f"box{number % 7}/wall-{number:04d}.png" for number in range(0, 100, 10)]
    for number, name in enumerate(changed):
        collection.put(name, wall(3000 + number, 24))
    gone = [f"box{number % 7}/wall-{number:04d}.png" for number in range(101, 106)]
    for name in gone:
        (collection.source / name).unlink()
    for number in range(3):
        collection.put(f"broken-{number}.png", wall(4000 + number, 24))
    listings = _count_listings(monkeypatch)
    second = collection.night(code=Exit.DONE)
    assert due(second) == {"new": 20, "changed": 10, "failed": 3}
    assert (second["done"], second["quarantined"], second["deleted"], second["unchanged"]) == (33, 0, 5, 982)
    assert (second["number"], second["listed"]) == (2, 1015)
    assert len(listings) == 1
    run = collection.run()
    assert run.header.plan.records == 33
    assert run.header.follows == one
    after = collection.derivatives()
    touched = {name for name in after if after[name] != before.get(name)}
    expected = {f"box8/late-{number}.png" for number in range(20)} | set(changed)
    expected |= {f"broken-{number}.png" for number in range(3)}
    assert touched == expected | {f"{name}.json" for name in expected}
    assert set(before) <= set(after)  # derivatives of what is gone are kept

    listings.clear()
    runs = collection.runs()
    third = collection.night(code=Exit.DONE)
    assert due(third) == {}
    assert (third["planned"], third["unchanged"], third["deleted"]) == (0, 1015, 0)
    assert len(listings) == 1
    assert collection.runs() == runs
    assert collection.derivatives() == after
    assert "nothing to do" in collection.call("run", collection.root / "nights.yaml").stdout

    rows = collection.catalog()
    assert len(rows) == 1020
    assert [row["status"] for row in map(rows.__getitem__, gone)] == ["deleted"] * 5
    assert {rows[name]["run_id"] for name in changed} == {run.header.run_id}
    assert sum(row["run_id"] == one for row in rows.values()) == 987
    assert collection.sums()["by_status"] == {"current": 1015, "deleted": 5}
    assert _results(collection, changed[0]) == [("new", "made"), ("changed", "made")]
    assert _results(collection, "broken-0.png") == [("new", "quarantined"), ("failed", "made")]
    assert _results(collection, gone[0]) == [("new", "made"), ("deleted", "deleted")]
    assert _results(collection, "box1/wall-0001.png") == [("new", "made")]
    assert collection.call("verify", collection.output).exit_code == 0


def test_a_new_model_does_what_it_reaches(collection: Collection) -> None:
    for number in range(3):
        collection.put(f"face-{number}.png", face(number))
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    before = collection.derivatives()
    account = collection.night(**CLASSIC)
    assert due(account) == {"outdated": 3}
    assert account["differs"] == 3  # the walls: no face, so the same derivative
    rows = collection.catalog()
    assert {rows[f"face-{number}.png"]["model"] for number in range(3)} == {"classic"}
    assert {rows[f"wall-{number}.png"]["model"] for number in range(3)} == {"none"}
    after = collection.derivatives()
    assert {name for name in after if after[name] != before[name]} == {
        f"face-{number}.png{suffix}" for number in range(3) for suffix in ("", ".json")
    }
    assert collection.night(**CLASSIC)["planned"] == 0
    assert [event["restorer"].split()[0] for event in collection.history("face-0.png")] == ["none", "classic"]


@pytest.mark.parametrize(("outdated", "count"), [("never", 0), ("model", 0), ("settings", 4), ("any", 4)], ids=str)
def test_other_settings(collection: Collection, outdated: str, count: int) -> None:
    """What reaches every image: the names of the outputs."""
    for number in range(4):
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    old = set(collection.derivatives())
    renamed = {"output": {"name": "{stem}-kept.{ext}"}, "selection": {"outdated": outdated}}
    account = collection.night(**renamed)
    assert (account["due"].get("outdated", 0), account["differs"]) == (count, 4 - count)
    names = set(collection.derivatives())
    assert names == ({f"wall-{number}-kept.png{end}" for number in range(4) for end in ("", ".json")} if count else old)
    assert collection.night(**renamed)["planned"] == 0
    assert collection.call("verify", collection.output).exit_code == 0


def test_only_what_scored_badly_is_made_again(collection: Collection) -> None:
    measured = {"restore": {"model": "classic"}, "score": {"measures": ["sharpness"]}}
    for number in range(4):
        collection.put(f"face-{number}.png", face(number, 110 + 60 * number))
    collection.night(**measured)
    scores = sorted(row["sharpness"] for row in collection.catalog().values())
    between = (scores[1] + scores[2]) / 2
    stronger = {**measured, "restore": {"model": "classic", "strength": 0.5}}
    account = collection.night(**stronger, selection={"outdated": "settings", "below": {"sharpness": between}})
    assert due(account) == {"outdated": 2}
    strengths = {row["run_id"] for row in collection.catalog().values() if row["sharpness"] is not None}
    assert len(strengths) == 2


def test_a_record_that_fails_is_tried_as_often_as_the_job_says(collection: Collection) -> None:
    collection.put("broken.png", b"not a picture")
    collection.put("wall.png", wall(1))
    tried = []
    for _ in range(4):
        account = collection.night(selection={"failed": {"tries": 3}})
        tried.append((due(account), account["quarantined"]))
    assert tried == [({"new": 2}, 1), ({"failed": 1}, 1), ({"failed": 1}, 1), ({}, 0)]
    row = collection.catalog()["broken.png"]
    assert (row["status"], row["tries"], row["code"]) == ("quarantined", 3, "not_an_image")
    # Another model may read what this one could not: that it fails again is one more try, and no more.
    assert due(collection.night(**CLASSIC, selection={"failed": {"tries": 3}})) == {"failed": 1}
    assert due(collection.night(**CLASSIC, selection={"failed": {"tries": 3}})) == {}
    assert due(collection.night(**CLASSIC, selection={"failed": {"tries": 9, "codes": ["timed_out"]}})) == {}
    assert due(collection.night(**CLASSIC, selection={"failed": {"tries": 9, "codes": ["not_an_image"]}})) == {
        "failed": 1
    }


def test_a_changed_source_that_fails_leaves_the_former_derivative(collection: Collection) -> None:
    collection.put("wall.png", wall(1))
    collection.night()
    before = collection.derivatives()
    collection.put("wall.png", b"half a file")
    account = collection.night(code=Exit.QUARANTINED)
    assert (due(account), account["quarantined"]) == ({"changed": 1}, 1)
    assert collection.derivatives() == before
    row = collection.catalog()["wall.png"]
    assert (row["status"], row["output"]) == ("quarantined", "wall.png")
    assert collection.call("verify", collection.output).exit_code == 0
    collection.put("wall.png", wall(1))
    assert due(collection.night()) == {"failed": 1}
    assert collection.catalog()["wall.png"]["status"] == "current"


def test_contents_decide_where_versions_only_look_changed(collection: Collection) -> None:
    for number in range(4):
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    content = {"selection": {"changed": "content"}}
    for number in range(3):
        collection.put(f"wall-{number}.png", wall(number))  # touched
    collection.put("wall-3.png", wall(33))
    account = collection.night(**content)
    assert (due(account), account["touched"]) == ({"changed": 1}, 3)
    again = collection.night(**content)
    assert (due(again), again["touched"]) == ({}, 0)
    assert collection.night()["planned"] == 0
    collection.put("wall-0.png", wall(99))
    assert due(collection.night(selection={"changed": "never"})) == {}
    collection.put("wall-1.png", wall(98))
    only_one = {"selection": {"changed": "content", "where": "key like '%-1.png'"}}
    assert due(collection.night(**only_one)) == {"changed": 1}
    both = {"selection": {"changed": "content", "budget": {"records": 1}}}
    collection.put("wall-2.png", wall(97))
    account = collection.night(**both)
    assert (due(account), account["carried_over"]) == ({"changed": 1}, 1)
    assert due(collection.night(**content)) == {"changed": 1}


def test_a_budget_of_records_carries_the_rest_over(collection: Collection) -> None:
    for number in range(25):
        collection.put(f"wall-{number:02d}.png", wall(number))
    ten = {"selection": {"budget": {"records": 10}}}
    accounts = [collection.night(**ten)]
    assert (accounts[0]["done"], accounts[0]["carried_over"], accounts[0]["why_ended"]) == (10, 15, "records")
    collection.put("wall-00.png", wall(100))  # what has changed comes before what is new
    accounts.append(collection.night(**ten))
    assert collection.catalog()["wall-00.png"]["run_id"] == collection.run().header.run_id
    accounts += [collection.night(**ten), collection.night(**ten)]
    assert [account["done"] for account in accounts] == [10, 10, 6, 0]
    assert [account["carried_over"] for account in accounts] == [15, 6, 0, 0]
    assert len(collection.catalog()) == 25


def test_hours_end_a_night(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Night, "spent", property(lambda self: False))  # the time is over once the night is planned
    for number in range(30):
        collection.put(f"wall-{number:02d}.png", wall(number))
    hours = {"selection": {"budget": {"hours": 1e-7}}}
    account = collection.night(code=Exit.DONE, **hours)
    assert account["why_ended"] == "time"
    assert account["done"] + account["carried_over"] == 30
    assert account["carried_over"] > 0
    first = collection.run()
    assert first.closed
    assert not first.complete
    watched = collection.call("status", collection.output, "--watch", "--json")
    assert watched.exit_code == 0
    assert json.loads(watched.stdout.splitlines()[-1])["state"] == "closed"
    assert json.loads(collection.call("status", collection.output, "--json").stdout)["state"] == "closed"
    monkeypatch.undo()
    account = collection.night(code=Exit.DONE)
    assert account["done"] == 30 - len(_made_by(collection, first.header.run_id))
    assert sum(row["status"] == "current" for row in collection.catalog().values()) == 30
    assert collection.call("verify", collection.output).exit_code == 0


def test_a_night_without_time_begins_nothing(collection: Collection) -> None:
    collection.put("wall.png", wall(1))
    account = collection.night(code=Exit.DONE, selection={"budget": {"hours": 1e-9}})
    assert (account["why_ended"], account["planned"], account["listed"]) == ("time", 0, None)
    assert not (collection.output / "_facejobs" / "runs").exists()


def test_conditions_narrow_what_is_due(collection: Collection) -> None:
    for number in range(3):
        collection.put(f"box1/wall-{number}.png", wall(number))
        collection.put(f"box2/wall-{number}.png", wall(10 + number, 50))
    assert due(collection.night("--where", "key like 'box1/%'")) == {"new": 3}
    for number in range(3):
        collection.put(f"box1/wall-{number}.png", wall(20 + number))
    assert due(collection.night("--where", "width > 1000")) == {}
    assert due(collection.night("--where", "height = 40 and key not like '%-0.png'")) == {"changed": 2}
    assert due(collection.night(selection={"where": "key like 'box2/%'"})) == {"new": 3}
    assert due(collection.night("--since", "2001-01-01")) == {"changed": 1}
    collection.put("box1/wall-1.png", wall(77))
    assert due(collection.night("--since", "2100-01-01")) == {}
    assert due(collection.night("--since", "1h")) == {"changed": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--where", "widht > 3"), "widht"),
        (("--where", "key in (select content from read_text('/etc/hostname'))"), "--where"),
        (("--since", "yesterday"), "found no moment"),
        (("--replan",), "without a selection"),
    ],
)
def test_wrong_options(collection: Collection, options: tuple[str, ...], said: str) -> None:
    collection.put("wall.png", wall(1))
    result = collection.call("run", collection.job(), *options)
    assert result.exit_code == Exit.USAGE
    assert said in result.output


def test_what_has_nothing_to_select_from(collection: Collection) -> None:
    """Options of nights and jobs without a selection."""
    collection.put("wall.png", wall(1))
    for option in (("--where", "true"), ("--since", "7d")):
        result = collection.call("run", collection.job(selection=None), *option)
        assert result.exit_code == Exit.USAGE, result.output
        assert "selection" in result.output


def test_derivatives_whose_source_is_gone_are_buried(collection: Collection) -> None:
    for number in range(20):
        collection.put(f"wall-{number:02d}.png", wall(number))
    tombstone: dict[str, Any] = {"selection": {"deleted": {"action": "tombstone", "most": 0.1}}}
    collection.night(**tombstone)
    record = json.loads((collection.output / "wall-00.png.json").read_text())
    (collection.source / "wall-00.png").unlink()
    account = collection.night(**tombstone)
    assert (account["tombstoned"], account["deleted"], account["warnings"]) == (1, 0, [])
    assert not (collection.output / "wall-00.png").exists()
    assert not (collection.output / "wall-00.png.json").exists()
    (stone,) = (collection.output / "_facejobs" / "tombstones").rglob("*.json")
    assert json.loads(stone.read_text())["record"] == record
    assert collection.catalog()["wall-00.png"]["status"] == "tombstoned"
    assert collection.call("verify", collection.output).exit_code == 0
    # Too many at once: the disk is not mounted, rather than the collection empty.
    kept = [collection.source / f"wall-{number:02d}.png" for number in range(1, 6)]
    for path in kept:
        path.rename(path.with_suffix(".away"))
    account = collection.night(**tombstone)
    assert (account["tombstoned"], account["deleted"]) == (0, 5)
    assert "sources of 5 of 19 records are gone" in account["warnings"][0]
    assert all((collection.output / path.name).exists() for path in kept)
    for path in kept:
        path.with_suffix(".away").rename(path)
    account = collection.night(**tombstone)
    assert (account["returned"], account["planned"]) == (5, 0)
    assert collection.sums()["by_status"] == {"current": 19, "tombstoned": 1}
    # A source that is back after its derivative was taken away is as good as new.
    collection.put("wall-00.png", wall(0))
    assert due(collection.night(**tombstone)) == {"new": 1}
    assert (collection.output / "wall-00.png").exists()
    assert collection.call("verify", collection.output).exit_code == 0


def test_what_was_kept_though_its_source_is_gone_can_be_buried_later(collection: Collection) -> None:
    for number in range(20):
        collection.put(f"wall-{number:02d}.png", wall(number))
    collection.night()
    (collection.source / "wall-00.png").unlink()
    assert collection.night()["deleted"] == 1
    account = collection.night(selection={"deleted": {"action": "tombstone"}})
    assert account["tombstoned"] == 1
    assert not (collection.output / "wall-00.png").exists()


def test_a_name_that_another_record_holds_is_refused(collection: Collection) -> None:
    """An output name is never given to a second record, whichever night it comes in."""
    as_tiff = {"output": {"format": "tiff"}}
    collection.put("wall.png", wall(1))
    collection.night(**as_tiff)
    before = collection.derivatives()
    ok = collection.source / "wall.bmp"
    ok.write_bytes(b"")
    collection.put("wall.bmp", wall(2))
    account = collection.night(code=Exit.QUARANTINED, **as_tiff)
    assert (due(account), account["quarantined"]) == ({"new": 1}, 1)
    assert collection.derivatives() == before
    assert collection.catalog()["wall.bmp"]["code"] == "duplicate_name"
    assert collection.night(**as_tiff)["planned"] == 0
    # Its neighbour goes, and the name is free.
    (collection.source / "wall.png").unlink()
    account = collection.night(**as_tiff, selection={"deleted": {"action": "tombstone", "most": 1.0}})
    account = collection.night(**as_tiff)
    assert due(account) == {"failed": 1}
    assert collection.catalog()["wall.bmp"]["status"] == "current"


def test_a_run_over_everything_is_taken_over(collection: Collection) -> None:
    for number in range(5):
        collection.put(f"wall-{number}.png", wall(number))
    assert collection.call("run", collection.job(selection=None)).exit_code == 0
    before = collection.derivatives()
    assert collection.night()["planned"] == 0
    collection.put("late.png", wall(9))
    account = collection.night()
    assert (due(account), account["number"]) == ({"new": 1}, 1)
    assert {name: sha for name, sha in collection.derivatives().items() if not name.startswith("late")} == before
    result = collection.call("run", collection.job(selection=None))
    assert result.exit_code == Exit.CONFLICT
    assert "selection" in result.output
    for existing in ("replace", "version"):
        result = collection.call("run", collection.job(selection=None, output={"existing": existing}))
        assert result.exit_code == (0 if existing == "version" else Exit.CONFLICT), result.output


def test_retry_and_the_next_night_agree(collection: Collection) -> None:
    collection.put("wall.png", wall(1))
    collection.put("broken.png", b"not a picture")
    collection.night()
    (collection.source / "broken.png").write_bytes(wall(2))
    lock = NightLock(Folder(str(collection.output)))
    lock.acquire()
    assert collection.call("retry", collection.job()).exit_code == Exit.BUSY
    lock.release()
    assert collection.call("retry", collection.job()).exit_code == 0
    assert collection.catalog()["broken.png"]["status"] == "current"
    assert collection.call("verify", collection.output).exit_code == 0
    assert "broken.png" in collection.derivatives()
    assert due(collection.night()) in ({}, {"changed": 1})


def test_the_state_can_be_made_again_from_the_ledgers(collection: Collection) -> None:
    for number in range(6):
        collection.put(f"wall-{number}.png", wall(number))
    collection.put("broken.png", b"not a picture")
    collection.night()
    collection.put("wall-1.png", wall(50))
    (collection.source / "wall-5.png").unlink()
    collection.night()
    collection.put("late.png", wall(51))
    collection.night()
    rows = collection.catalog()
    for path in (collection.output / "_facejobs" / "collection").iterdir():
        path.unlink()
    assert collection.catalog() == rows
    assert collection.night()["planned"] == 0
    assert collection.catalog() == rows


def test_garbage_collection_leaves_every_night(collection: Collection) -> None:
    for number in range(6):
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    collection.put("wall-1.png", wall(50))
    collection.night()
    before = collection.derivatives()
    result = collection.call("gc", collection.output, "--older-than", "0", "--json")
    assert result.exit_code == 0, result.output
    assert sum(pile["objects"] for pile in json.loads(result.stdout)["removed"].values()) == 0
    assert collection.derivatives() == before


def _made_by(collection: Collection, run_id: str) -> list[str]:
    return [key for key, row in collection.catalog().items() if row["run_id"] == run_id]


def _results(collection: Collection, key: str) -> list[tuple[str, str]]:
    return [(event["cause"], event["result"]) for event in collection.history(key)]


def _count_listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every walk through the source from now on."""
    walks: list[str] = []
    real = objects.walk_files

    def counted(fs: Any, top: str, *rest: Any) -> Any:
        walks.append(top)
        return real(fs, top, *rest)

    monkeypatch.setattr(objects, "walk_files", counted)
    return walks


def test_a_plan_says_what_tonight_would_do(collection: Collection) -> None:
    for number in range(3):
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    collection.put("late.png", wall(9))
    collection.put("wall-1.png", wall(10))
    (collection.source / "wall-2.png").unlink()
    before = {path: path.stat().st_mtime_ns for path in collection.output.rglob("*")}
    result = collection.call("plan", collection.job(), "--json", "--sample", "1")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["records"] == 2
    assert {cause: count for cause, count in said["night"]["due"].items() if count} == {"new": 1, "changed": 1}
    assert (said["night"]["deleted"], said["night"]["unchanged"]) == (1, 1)
    text = collection.call("plan", collection.job(), "--sample", "1").stdout
    assert text.startswith("tonight: 3 records listed: 1 changed, 1 new, 1 deleted, 1 unchanged")
    assert {path: path.stat().st_mtime_ns for path in collection.output.rglob("*")} == before
    assert due(collection.night()) == {"new": 1, "changed": 1}
    nothing = collection.call("plan", collection.job())
    assert (nothing.exit_code, "nothing is due" in nothing.stdout) == (0, True)


def test_the_report_says_which_night_it_is(collection: Collection) -> None:
    collection.put("wall.png", wall(1))
    collection.night()
    collection.put("late.png", wall(2))
    collection.night()
    page = (collection.output / "_facejobs" / "runs" / collection.run().header.run_id / "report.html").read_text()
    assert "night 2: 2 records listed: 1 new, 1 unchanged" in page
    # Nothing to do but to note what is gone: a run without units, with a report all the same.
    (collection.source / "late.png").unlink()
    assert collection.night()["deleted"] == 1
    run = collection.run()
    assert (run.header.night, run.header.plan.records, run.complete) == (3, 0, True)
    assert (collection.output / "_facejobs" / "runs" / run.header.run_id / "report.html").exists()
    assert json.loads(collection.call("status", collection.output, "--json").stdout)["state"] == "complete"


def test_a_lost_derivative_is_made_again(collection: Collection) -> None:
    for number in range(4):
        collection.put(f"wall-{number}.png", wall(number))
    collection.night()
    before = collection.derivatives()
    (collection.output / "wall-1.png").unlink()
    (collection.output / "wall-2.png").write_bytes(b"other bytes")
    verified = collection.call("verify", collection.output, "--json")
    assert verified.exit_code == Exit.MISMATCH
    assert collection.night()["planned"] == 0
    account = collection.night("--again", "--where", "key in ('wall-1.png', 'wall-2.png')")
    assert due(account) == {"asked": 2}
    assert collection.derivatives() == before
    assert collection.call("verify", collection.output).exit_code == 0
    assert collection.night()["planned"] == 0
    assert collection.call("run", collection.job(), "--again").exit_code == Exit.USAGE
