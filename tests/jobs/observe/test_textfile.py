"""The text file for node_exporter: what it says at the end, and of commands that never came to a run."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge

from jobs.observe.ways import kept_up

from .conftest import BAD, GOOD, Desk, Samples, parsed, value


def read(desk: Desk) -> Samples:
    return parsed((desk.root / "facejobs.prom").read_text())


@pytest.fixture
def done(desk: Desk) -> Samples:
    assert desk.call("run", desk.job(observe={"textfile": "facejobs.prom"})).exit_code == 3
    return read(desk)


def test_the_end_says_what_became_of_everything(desk: Desk, done: Samples) -> None:
    assert value(done, "records", state="ok") == GOOD
    assert value(done, "records", state="quarantined") == BAD
    assert value(done, "records", state="todo") == 0
    assert value(done, "quarantined_records", code="not_an_image") == BAD
    assert value(done, "records_processed_total", outcome="ok") == GOOD
    assert value(done, "units", state="committed") == value(done, "unit_ends_total", state="done") == 3
    assert value(done, "unit_duration_seconds_count") == 3
    assert value(done, "images_total", outcome="changed") == GOOD
    assert value(done, "faces_found_total") == value(done, "faces_restored_total") == GOOD
    sources = [desk.root / "in" / f"{index}.png" for index in range(GOOD)]
    assert value(done, "input_bytes_total") == sum(path.stat().st_size for path in sources)
    outputs = [path for path in (desk.root / "job").rglob("*") if path.is_file() and "_facejobs" not in path.parts]
    assert value(done, "output_bytes_total") == sum(path.stat().st_size for path in outputs)
    assert (value(done, "stage_seconds_total", stage="restore") or 0) > 0
    assert value(done, "run_active") == 0
    assert value(done, "last_run_exit_code") == 3
    assert value(done, "last_run_records", state="quarantined") == BAD
    assert value(done, "gpu_utilization_ratio", gpu="0", model="") is None
    assert [path.name for path in desk.root.glob("*.prom*")] == ["facejobs.prom"]


def test_a_night_with_nothing_to_do_counts_as_a_run_that_ended(desk: Desk, done: Samples) -> None:
    result = desk.call("run", desk.root / "job.yaml")
    assert "nothing to do" in result.stdout
    again = read(desk)
    for name in ("last_run_end_timestamp_seconds", "last_run_success_timestamp_seconds"):
        assert (value(again, name) or 0) > (value(done, name) or 0)
    assert value(again, "last_run_records", state="ok") == GOOD
    assert value(again, "records_planned") is None  # no run was driven


def test_a_command_that_fails_keeps_the_time_of_the_last_success(desk: Desk, done: Samples) -> None:
    shutil.rmtree(desk.root / "in")
    result = desk.call("run", desk.root / "job.yaml", "--replan")
    assert result.exit_code not in (0, 3)
    failed = read(desk)
    assert value(failed, "last_run_exit_code") == result.exit_code
    assert (value(failed, "last_run_end_timestamp_seconds") or 0) > (value(done, "last_run_end_timestamp_seconds") or 0)
    success = "last_run_success_timestamp_seconds"
    assert value(failed, success) == pytest.approx(value(done, success), abs=1e-3)


def test_an_interrupted_retry_counts_attempts_of_its_own(desk: Desk, done: Samples) -> None:
    (desk.root / "in" / "notes.jpg").write_bytes((desk.root / "in" / "0.png").read_bytes())
    result = desk.call("retry", desk.root / "job.yaml")
    assert result.exit_code == 0, result.output
    after = read(desk)
    assert value(after, "records", state="ok") == GOOD + BAD
    assert value(after, "records", state="quarantined") == 0
    assert value(after, "records_processed_total", outcome="ok") == BAD
    assert value(after, "last_run_exit_code") == 0


def test_of_a_pairs_job_the_pairs_stand_at_the_end_and_the_survey_is_no_end_of_its_own(desk: Desk) -> None:
    job = desk.root / "pairs.yaml"
    job.write_text(
        "job: pairs\nname: pairs\nsource: {kind: files, uri: in}\nsamples: {kind: images, size: 96}\n"
        "degrade: {recipe: gfpgan}\nfilter: {min_sharpness: 0}\noutput: {uri: pairs}\n"
        "run: {runner: local, isolate: false}\nobserve: {textfile: facejobs.prom}\n"
    )
    result = desk.call("run", job)
    assert result.exit_code == 3, result.output
    text = (desk.root / "facejobs.prom").read_text()
    assert 'kind="survey"' not in text
    assert 'facejobs_run_active{job_name="pairs",kind="pairs"} 0.0' in text
    assert 'facejobs_last_run_exit_code{job_name="pairs",kind="pairs"} 3.0' in text


def test_a_damaged_file_of_before_is_no_obstacle(desk: Desk) -> None:
    (desk.root / "facejobs.prom").write_bytes(b"facejobs_last_run_exit_code{job_name=\xff\n")
    assert desk.call("run", desk.job(observe={"textfile": "facejobs.prom"})).exit_code == 3
    assert value(read(desk), "last_run_exit_code") == 3


def test_a_folder_that_is_not_there_is_said_once_and_the_run_goes_on(desk: Desk) -> None:
    result = desk.call("run", desk.job(observe={"textfile": "none/facejobs.prom"}))
    assert result.exit_code == 3
    assert result.stderr.count("observe.textfile: ") == 1
    assert "cannot be written (No such file or directory)" in result.stderr.replace("\n", " ")


def test_the_file_is_renewed_while_the_run_goes_on(tmp_path: Path) -> None:
    registry, path = CollectorRegistry(), tmp_path / "x.prom"
    gauge = Gauge("x", "X.", registry=registry)
    with kept_up(path, registry, pytest.fail, seconds=0.01):
        assert parsed(path.read_text()) == {("x", ()): 0}
        gauge.set(7)
        until = time.monotonic() + 30
        while parsed(path.read_text()) != {("x", ()): 7}:
            assert time.monotonic() < until
        gauge.set(8)
    assert parsed(path.read_text()) == {("x", ()): 8}
