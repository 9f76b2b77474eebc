"""The summary that `facejobs run` and `retry` leave: what it says, where it lies, and that nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.exits import Exit
from tests.jobs.html_page import Page
from tests.jobs.small_job import SmallJob

NAMES = ("summary.html", "summary.json", "summary.txt")


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def state_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_run_with_something_in_quarantine(prints: SmallJob) -> None:
    path = prints.write(notify={"summary": "told"})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert f"summary: {prints.run_folder}/summary.html" in result.stdout
    assert f"summary: {prints.root}/told/summary.html" in result.stdout
    made = told(prints.run_folder)
    assert made["exit"] == {
        "code": 3,
        "name": "QUARANTINED",
        "meaning": "done, with quarantined records within the budget",
    }
    assert made["state"] == "complete"
    assert made["message"] == ""
    run = made["run"]
    assert run["run_id"] == prints.run_folder.name
    assert run["records"] == {"planned": 5, "ok": 4, "quarantined": 1, "todo": 0}
    assert run["units"] == {"planned": 3, "committed": 3, "by_this_command": 3}
    assert run["bytes"]["in"] > 0
    outputs = sum(path.stat().st_size for path in (prints.root / "out").glob("*") if path.is_file())
    assert run["bytes"]["out"] == outputs > 0
    assert run["faces"] == {"found": 0, "restored": 0}
    assert run["records_per_second"] is None or run["records_per_second"] > 0
    assert Path(run["report"]).read_text().startswith("<!DOCTYPE html>")
    assert "not_an_image" in Path(run["quarantine_list"]).read_text()
    (reason,) = made["quarantine"]
    assert (reason["code"], reason["count"]) == ("not_an_image", 1)
    assert reason["advice"].startswith("The content is no picture")
    assert made["next"] == [
        {"why": "Once the files are mended, this processes them again", "command": f"facejobs retry {path}"}
    ]
    assert made["command"] == {"words": ["run"], "file": str(path)}
    assert made["night"] is None
    for name in NAMES:
        assert (prints.root / "told" / name).read_bytes() == (prints.run_folder / name).read_bytes()
    text = (prints.run_folder / "summary.txt").read_text()
    assert text.startswith(
        "facejobs prints: 1 in quarantine\nDone: 4 of 5 records restored or copied, 1 in quarantine."
    )
    assert "exit code  3: done, with quarantined records within the budget" in text


def test_the_page_loads_nothing_and_says_the_same(prints: SmallJob) -> None:
    prints.write()
    prints.call("run")
    source = (prints.run_folder / "summary.html").read_text()
    page = Page(source)
    assert "Done: 4 of 5 records restored or copied, 1 in quarantine." in page.all("body")[0].text
    assert "not_an_image" in page.within("quarantine")
    assert f"facejobs retry {prints.path}" in page.within("next")
    assert "default-src 'none'" in source
    assert "<script" not in source
    for loading in (" src=", "url(", "@import", 'href="http'):
        assert loading not in source


def test_the_run_does_not_mind_its_summary(prints: SmallJob) -> None:
    prints.write()
    prints.call("run")
    verified = prints.call("verify", "--json")
    assert verified.exit_code == Exit.DONE, verified.output
    collected = prints.call("gc", "--older-than", "0", "--json")
    assert collected.exit_code == Exit.DONE, collected.output
    assert {
        name: pile["objects"] for name, pile in json.loads(collected.stdout)["removed"].items() if pile["objects"]
    } == {}
    assert all((prints.run_folder / name).exists() for name in NAMES)


def test_nothing_to_do_is_said_elsewhere_and_leaves_the_run_as_it_is(prints: SmallJob) -> None:
    prints.write(notify={"summary": "told"})
    prints.call("run")
    before = state_of(prints.root / "out")
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED
    assert state_of(prints.root / "out") == before
    made = told(prints.root / "told")
    assert made["worked"] is False
    assert made["state"] == "complete"
    assert made["sentence"] == "There was nothing to do: the run is complete; 1 record is in quarantine."
    assert made["run"]["records"]["quarantined"] == 1
    assert made["quarantine"][0]["code"] == "not_an_image"


def test_a_run_over_its_budget(prints: SmallJob) -> None:
    path = prints.write(run={"max_quarantined": 0})
    assert prints.call("run").exit_code == Exit.OVER_BUDGET
    made = told(prints.run_folder)
    assert (made["exit"]["name"], made["state"], made["tone"]) == ("OVER_BUDGET", "over_budget", "bad")
    assert "run.max_quarantined" in made["message"]
    assert made["next"][0]["command"] == f"facejobs run {path}"


def test_a_retry_writes_over_the_summary(prints: SmallJob) -> None:
    prints.write()
    prints.call("run")
    (prints.root / "in/notes.jpg").write_bytes((prints.root / "in/0.png").read_bytes())
    assert prints.call("retry").exit_code == Exit.DONE
    made = told(prints.run_folder)
    assert made["command"]["words"] == ["retry"]
    assert made["headline"] == "done, 5 records"
    assert made["run"]["units"]["by_this_command"] == 1
    assert made["next"] == []
    assert "Nothing has to be done." in Page((prints.run_folder / "summary.html").read_text()).within("next")


def test_an_error_before_there_is_a_run(prints: SmallJob) -> None:
    prints.write(notify={"summary": "told"}, source={"uri": "nowhere"})
    result = prints.call("run")
    made = told(prints.root / "told")
    assert result.exit_code == made["exit"]["code"] != 0
    assert made["state"] == "error"
    assert made["run"] is None
    assert "nowhere" in made["message"]
    assert made["message"] in result.stderr
    assert sorted(path.name for path in (prints.root / "told").iterdir()) == list(NAMES)


def test_a_conflict_is_told_and_the_other_run_keeps_its_summary(prints: SmallJob) -> None:
    prints.write()
    prints.call("run")
    before = state_of(prints.root / "out")
    prints.write(notify={"summary": "told"}, output={"format": "png"})
    assert prints.call("run").exit_code == Exit.CONFLICT
    assert state_of(prints.root / "out") == before
    made = told(prints.root / "told")
    assert made["exit"]["name"] == "CONFLICT"
    assert "output.format" in made["message"]


def test_a_summary_that_cannot_be_written_changes_no_exit_code(prints: SmallJob) -> None:
    (prints.root / "taken").write_text("a file where a folder is wanted")
    prints.write(notify={"summary": "taken/here"})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    assert "taken/here/summary.html: not written: " in result.stderr
    assert (prints.run_folder / "summary.json").exists()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("in/told", "notify.summary: lies inside the source's prefix, which is only ever read"),
        ("out/told", "notify.summary: lies inside the output, where `facejobs verify` would call it extra"),
        ("told/*", "notify.summary: found a wildcard"),
        ("https://museum.example/told", "notify.summary: found 'https://', which can only be read"),
    ],
)
def test_places_where_no_summary_may_lie(prints: SmallJob, place: str, said: str) -> None:
    prints.write(notify={"summary": place})
    result = prints.call("validate")
    assert result.exit_code == Exit.BAD_JOB
    assert said in result.stderr


def test_a_summary_in_other_storage(prints: SmallJob) -> None:
    import fsspec

    prints.write(notify={"summary": "memory://nightly/prints"})
    result = prints.call("run")
    assert result.exit_code == Exit.QUARANTINED, result.output
    with fsspec.open("memory://nightly/prints/summary.txt", "rt") as file:
        assert file.read().startswith("facejobs prints: 1 in quarantine")


def test_nights_tell_of_themselves(prints: SmallJob) -> None:
    prints.write(selection={}, notify={"summary": "told"})
    assert prints.call("run").exit_code == Exit.QUARANTINED
    first = told(prints.run_folder)
    assert first == told(prints.root / "told")
    assert (first["night"]["number"], first["night"]["due"]["new"]) == (1, 5)
    assert [step["command"] for step in first["next"]] == [""]  # the next night finds what was mended by itself
    (prints.root / "in/notes.jpg").unlink()
    (prints.root / "in/9.png").write_bytes((prints.root / "in/0.png").read_bytes())
    assert prints.call("run").exit_code == Exit.DONE
    text = (prints.root / "told/summary.txt").read_text()
    assert text.startswith("facejobs prints: done, 1 record\n")
    assert "night 2:\n  5 listed: 1 new\n" in text
    before = state_of(prints.root / "out")
    assert prints.call("run").exit_code == Exit.DONE
    assert (prints.root / "told/summary.txt").read_text().startswith("facejobs prints: nothing to do\n")
    kept = {name: state for name, state in state_of(prints.root / "out").items() if "summary." in name}
    assert kept == {name: state for name, state in before.items() if "summary." in name}
    assert prints.call("verify").exit_code == Exit.DONE
