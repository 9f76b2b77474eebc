"""Outputs that hold something already: other runs, this run, somebody's files, half a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bench

PLATE = "box1/plate.tif"
REPLACE = {"existing": "replace"}
VERSION = {"existing": "version"}


@pytest.fixture
def plate(bench: Bench) -> Bench:
    """A bench whose archive is one image that is changed."""
    for path in sorted((bench.root / "archive").rglob("*")):
        if path.is_file() and path.name != "plate.tif":
            path.unlink()
    return bench


def run_folders(bench: Bench) -> list[Path]:
    return sorted((bench.root / "job/_facejobs/runs").iterdir())


def test_replacing_back_and_forth_does_the_work_each_time(plate: Bench) -> None:
    assert plate.call("run", plate.job()).exit_code == 0
    first = plate.outputs("job")
    assert plate.call("run", plate.job(restore={"strength": 0.5}, output=REPLACE)).exit_code == 0
    assert plate.outputs("job")[PLATE] != first[PLATE]
    back = plate.job(output=REPLACE)
    assert plate.call("run", back).exit_code == 0
    assert plate.outputs("job") == first
    assert plate.call("verify", back).exit_code == 0
    assert "nothing to do" in plate.call("run", back).stdout


def test_a_version_whose_outputs_were_replaced_is_made_again(plate: Bench) -> None:
    plate.call("run", plate.job())
    first = plate.outputs("job")
    plate.call("run", plate.job(restore={"strength": 0.5}, output=REPLACE))
    again = plate.job(output=VERSION)
    assert plate.call("run", again).exit_code == 0
    assert plate.outputs("job")[f"versions/2/{PLATE}"] == first[PLATE]
    assert plate.call("verify", again).exit_code == 0


def test_a_job_file_means_its_own_run_and_not_the_last_one(plate: Bench) -> None:
    first, other = plate.job(), plate.root / "other.yaml"
    plate.call("run", first)
    plate.job(restore={"strength": 0.5}, output=VERSION).replace(other)
    plate.call("run", other)
    first = plate.job()
    assert plate.status(first)["run_id"] != plate.status(other)["run_id"]
    assert plate.status(plate.root / "job")["run_id"] == plate.status(other)["run_id"]
    assert "nothing to do" in plate.call("run", first).stdout
    (plate.root / "job" / PLATE).write_bytes(b"")
    assert plate.call("verify", first).exit_code == 8
    assert plate.call("verify", other).exit_code == 0


def test_a_version_beside_somebody_elses_files_leaves_them_alone(plate: Bench) -> None:
    theirs = plate.root / "job" / PLATE
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"mine")
    assert plate.call("run", plate.job(output=VERSION)).exit_code == 0
    assert theirs.read_bytes() == b"mine"
    assert f"versions/2/{PLATE}" in plate.outputs("job")
    assert plate.call("verify", plate.job(output=VERSION)).exit_code == 0


def test_a_folder_that_is_refused_is_not_written_to(plate: Bench) -> None:
    (plate.root / "job").mkdir()
    (plate.root / "job/thesis.tex").write_text("mine")
    assert plate.call("run", plate.job()).exit_code == 7
    assert [path.name for path in (plate.root / "job").rglob("*")] == ["thesis.tex"]


def test_a_plan_that_was_interrupted_is_no_obstacle(plate: Bench) -> None:
    plate.call("run", plate.job())
    half = plate.root / "job/_facejobs/runs/0123456789abcdef/plan/000/units.parquet"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert plate.call("run", plate.job(restore={"strength": 0.5}, output=VERSION)).exit_code == 0


def test_retry_of_a_job_that_was_changed_is_refused_and_plans_nothing(bench: Bench) -> None:
    bench.call("run", bench.job())
    before = run_folders(bench)
    result = bench.call("retry", bench.job(restore={"strength": 0.5}, output=REPLACE))
    assert result.exit_code == 7
    assert "restore.strength" in result.stderr
    assert run_folders(bench) == before


def test_a_lost_commit_is_made_again(bench: Bench) -> None:
    job = bench.job()
    bench.call("run", job)
    outputs = bench.outputs("job")
    next((run_folders(bench)[0] / "commits").iterdir()).unlink()
    assert bench.status(job)["state"] == "incomplete"
    assert "nothing to do" not in bench.call("run", job).stdout
    assert bench.status(job)["state"] == "complete"
    assert bench.outputs("job") == outputs


def test_a_lost_pointer_to_the_current_run_is_written_again(plate: Bench) -> None:
    job = plate.job()
    plate.call("run", job)
    (plate.root / "job/_facejobs/current.json").unlink()
    assert "nothing to do" in plate.call("run", job).stdout
    assert plate.status(plate.root / "job")["state"] == "complete"


@pytest.mark.parametrize(
    "name", ["current.json", "run.json", "manifest.json", "commits/*.json", "plan/000/units.parquet"]
)
def test_a_damaged_file_of_the_ledger_is_named_with_what_to_do(plate: Bench, name: str) -> None:
    job = plate.job()
    plate.call("run", job)
    folder = plate.root / "job/_facejobs" if name == "current.json" else run_folders(plate)[0]
    path = next(folder.glob(name))
    path.write_bytes(path.read_bytes()[:9])
    # A finished run is counted from its manifest and a listing; verify is what reads its plan and commits.
    result = plate.call("verify" if name.startswith(("commits", "plan")) else "run", job)
    assert result.exit_code == 1
    assert str(path) in result.stderr
    assert "remove" in result.stderr
    assert "failed" not in result.stderr


def test_a_lost_plan_is_named(plate: Bench) -> None:
    job = plate.job()
    plate.call("run", job)
    path = run_folders(plate)[0] / "plan/000/units.parquet"
    path.unlink()
    result = plate.call("verify", job)
    assert result.exit_code == 1
    assert f"{path}: it is missing" in result.stderr


def test_what_stands_in_quarantine_is_counted_by_reason_after_a_retry(bench: Bench) -> None:
    (bench.root / "archive/lost.tif").symlink_to("found.bin")
    job = bench.job()
    bench.call("run", job)
    assert bench.status(job)["quarantined_by_code"]["dangling_link"] == 1
    data = (bench.root / "archive/box1/plate.tif").read_bytes()
    (bench.root / "archive/found.bin").write_bytes(data)
    (bench.root / "archive/empty.tif").write_bytes(data)
    result = bench.call("retry", job)
    assert result.exit_code == 3
    assert "dangling_link" not in result.stdout
    status = bench.status(job)
    assert status["quarantined_by_code"] == {"truncated": 1, "not_an_image": 1}
    assert status["records_quarantined"] == 2
    assert "lost.tif" in bench.outputs("job")
