"""`facejobs plan` on real records: what it says, what it keeps, and what the report then compares."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.estimate.conftest import CLUSTER, Shelf
from tests.jobs.html_page import Page

DOCS = Path(__file__).parents[3] / "docs" / "estimates.md"


def paths(value: Any, at: str = "") -> set[str]:
    """Keys of nested JSON values, lists as one of their entries."""
    if isinstance(value, dict) and value:
        return {found for key, inner in value.items() for found in paths(inner, f"{at}.{key}" if at else key)}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {found for inner in value for found in paths(inner, f"{at}[]")}
    return {at}


def test_the_page(shelf: Shelf) -> None:
    said = shelf.call("plan", shelf.job(cluster=CLUSTER), "--sample", "12")
    lines = said.splitlines()
    assert re.match(r".*/archive: 12 records, [\d.]+ kB, in 3 units$", lines[0])
    assert re.match(r"tried 12 records of 3 sizes, 1 failed: (truncated|corrupt) \(1\)$", lines[1])
    assert re.match(r"restore: [\d.e-]+ s a record in one worker \(examine .*, compose .*\)$", lines[2])
    assert {"this machine", "cost in EUR"} < set(lines)
    assert "cluster" not in lines  # a job of one process goes to none
    assert "  restore: fused, 1 worker (examine, restore, compose)" in lines
    assert lines[-1].endswith("/job: holds no run yet")
    assert all(len(line) <= 120 for line in lines[1:-1])
    assert not (shelf.root / "job").exists()


def test_columns_stand_under_each_other(shelf: Shelf) -> None:
    said = shelf.call("plan", shelf.job(run={"runner": "ray"}, cluster=CLUSTER), "--sample", "4")
    lines = said.splitlines()
    start = next(place for place, line in enumerate(lines) if line.endswith("90 % range"))
    table = lines[start + 1 : lines.index("", start)]
    assert len(table) >= 5
    assert len({len(re.match(r"  .*?  +[^ ].*?(?=   |$)", line)[0]) for line in table}) == 1  # type: ignore[index]
    assert "  4 x worker: 16 CPUs, 64 GiB" in lines
    assert any(line.startswith("  machines") for line in lines)


def test_json_has_the_keys_that_the_page_on_it_names(shelf: Shelf) -> None:
    page = DOCS.read_text()
    body = re.search(r"^## The JSON$(.*?)(?=^## )", page, flags=re.MULTILINE | re.DOTALL)
    assert body
    named = {
        key
        for row in re.findall(r"^\| (`.*?`) \|", body[1], flags=re.MULTILINE)
        for key in re.findall(r"`([^`]+)`", row)
    }
    ranges = {"low", "point", "high"}
    found = set()
    for kind in ("restore", "pairs"):
        said = shelf.plan(shelf.job(kind, run={"runner": "ray"}, cluster=CLUSTER), "--sample", "6")
        for path in paths(said):
            keys = path.split(".")
            found.add(".".join(keys[:-1] if keys[-1] in ranges else keys))
    free = re.compile(r"^(estimate\.(codes|stage_seconds\.[a-z]+|storage\.outputs)|problems|ignored)\.[a-z_]+$")
    found = {free.sub(r"\1", path) for path in found}
    found = {re.sub(r"stage_seconds\.[a-z]+$", "stage_seconds", path) for path in found}
    found = {path.replace("estimate.cluster.passes", "estimate.machine.passes") for path in found}
    assert found == named


def test_numbers_of_a_plan(shelf: Shelf) -> None:
    said = shelf.plan(shelf.job(run={"runner": "ray"}, cluster=CLUSTER), "--sample", "12")
    estimate = said["estimate"]
    assert (said["records"], said["units"], said["run"], said["kept"]) == (12, 3, None, [])
    assert (estimate["sampled"], estimate["failed"], sum(estimate["codes"].values())) == (12, 1, 1)
    assert sum(stratum["sampled"] for stratum in estimate["strata"]) == 12
    assert 0.5 < estimate["faces_per_record"]["point"] <= 11 / 12
    assert estimate["faces_per_record"]["low"] == estimate["faces_per_record"]["high"]  # all of them were tried
    assert estimate["failures"] == {"low": 1.0, "point": 1.0, "high": 1.0}  # as well
    price, seconds = estimate["cluster"]["cost"]["point"], estimate["cluster"]["seconds"]["point"]
    assert price == pytest.approx(4 * 0.75 * seconds / 3600, rel=1e-3)
    stored = sum(each["point"] for each in estimate["storage"]["outputs"].values())
    assert estimate["output_bytes"] == pytest.approx(stored, rel=1e-3)
    month = estimate["cost"]["storage_month"]["point"]
    assert month == pytest.approx((stored + estimate["storage"]["ledger"]) * 0.02 / 1e9, rel=1e-3)
    asked = estimate["storage"]["requests"]["point"]
    assert asked > 2 * 11
    assert estimate["cost"]["requests"]["point"] == pytest.approx(asked * 0.005 / 1000, rel=1e-3)
    assert estimate["hours"] == pytest.approx(estimate["machine"]["seconds"]["point"] / 3600)
    assert [one["name"] for one in estimate["machine"]["passes"]] == ["restore"]


def test_outputs_are_those_of_the_run(shelf: Shelf) -> None:
    job = shelf.job()
    estimate = shelf.plan(job, "--sample", "12")["estimate"]
    shelf.call("run", job, expected=3)
    sizes = {"image": 0, "record": 0}
    for path in (shelf.root / "job").rglob("*.jpg*"):
        if "_facejobs" not in path.parts:
            sizes["record" if path.suffix == ".json" else "image"] += path.stat().st_size
    for role, size in sizes.items():
        assert estimate["storage"]["outputs"][role]["point"] == pytest.approx(size, rel=0.02)
    found = json.loads(shelf.call("status", job, "--json"))["counts"]["faces_found"]
    assert estimate["faces_per_record"]["point"] == pytest.approx(found / 12, rel=1e-3)


def test_without_a_cluster_nothing_is_said_of_one(shelf: Shelf) -> None:
    estimate = shelf.plan(shelf.job(), "--sample", "2")["estimate"]
    assert estimate["cluster"] is None
    assert estimate["cost"] is None


def test_a_plan_without_a_sample(shelf: Shelf) -> None:
    assert shelf.plan(shelf.job(), "--sample", "0", "--keep")["kept"] == []
    assert "no estimate to keep" in shelf.call("plan", shelf.job(), "--sample", "0", "--keep")
    assert not (shelf.root / "job").exists()


def test_what_is_kept_is_compared_with_the_run(shelf: Shelf) -> None:
    job = shelf.job(scored=True, cluster=CLUSTER)
    (kept,) = shelf.plan(job, "--sample", "12", "--keep")["kept"]
    assert Path(kept).parent == shelf.root / "job" / "_facejobs" / "estimates"
    shelf.call("run", job, expected=3)
    page = Page(shelf.report(run="runs/*"))
    text = page.within("estimate")
    assert "was made from 12 records that were tried." in text
    for label in ("working time", "pictures a second", "worker hours", "faces a picture", "in quarantine", "output"):
        assert label in text
    rows = {row.text.strip().split("\n")[0] for row in page.all("tr")}
    assert any("in quarantine" in row and "0 %" in row for row in rows)
    assert len(page.all("svg", class_="span")) == 7
    assert "#estimate" in {link.attributes["href"] for link in page.all("a")}
    assert "nothing to do" in shelf.call("run", job, expected=3)  # keeping an estimate makes no other run
    shelf.call("verify", shelf.root / "job")


def test_a_job_that_was_changed_since_has_no_estimate(shelf: Shelf) -> None:
    shelf.plan(shelf.job(), "--sample", "2", "--keep")
    changed = shelf.job(detect={"max_faces": 3})
    shelf.call("run", changed, expected=3)
    assert 'id="estimate"' not in shelf.report(run="runs/*")


def test_what_is_damaged_is_left_out(shelf: Shelf) -> None:
    job = shelf.job()
    (kept,) = shelf.plan(job, "--sample", "2", "--keep")["kept"]
    shelf.call("run", job, expected=3)
    assert 'id="estimate"' in shelf.report(run="runs/*")
    for damage in ("{", "[]", json.dumps({"format": 99}), json.dumps({"format": 1, "estimate": {"machine": 5}})):
        Path(kept).write_text(damage)
        shelf.call("report", shelf.root / "job")
        assert 'id="estimate"' not in shelf.report(run="runs/*")


def test_pairs_and_their_survey(shelf: Shelf) -> None:
    job = shelf.job("pairs")
    said = shelf.plan(job, "--sample", "12", "--keep")
    estimate = said["estimate"]
    assert [one["name"] for one in estimate["machine"]["passes"]] == ["survey", "make"]
    assert estimate["pairs"] == 2 * estimate["samples"] == 20  # one portrait is smaller than 64 pixels, one is torn
    assert estimate["bytes_per_pair"] > 0
    assert len(said["kept"]) == 2
    shelf.call("run", job, expected=3)
    (folder,) = (shelf.root / "job/_facejobs/surveys").iterdir()
    shelf.call("report", folder)
    survey = Page(shelf.report(run="surveys/*/_facejobs/runs/*"))
    assert "images a second" in survey.within("estimate")
    made = Page(shelf.report(run="runs/*")).within("estimate")
    assert "pairs a second" in made
    assert "The run has" in made  # copies of one face: filters have left most of them out
    text = shelf.call("plan", job, "--sample", "4")
    assert "pairs before filters" in text
    assert re.search(r"^  make: fused, 1 worker \(make\)$", text, flags=re.MULTILINE)


def test_secrets_are_not_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_KEY", "sesame-17-open")
    cluster = {"nodes": [{"name": "sesame-17-open", "cpus": 9}]}
    source = {"storage_options": {"auto_mkdir": "${ARCHIVE_KEY}"}}
    job = shelf.job(source=source, cluster=cluster, run={"runner": "ray"})
    (kept,) = shelf.plan(job, "--sample", "1", "--keep")["kept"]
    assert "sesame" not in Path(kept).read_text()
    assert json.loads(Path(kept).read_text())["estimate"]["cluster"]["nodes"][0]["cpus"] == 9
