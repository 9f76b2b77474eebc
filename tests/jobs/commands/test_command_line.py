"""The command line: what each command prints, and with which exit code it ends."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import pytest
import yaml
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.exits import MEANING, Exit
from jobs.main import app

DOCS = Path(__file__).parents[3] / "docs"


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_job(folder: Path, **run: Any) -> Path:
    job = {
        "job": "restore",
        "name": "prints",
        "source": {"kind": "files", "uri": "in"},
        "restore": {"model": "classic"},
        "output": {"uri": "out"},
        "run": {"runner": "local", "unit_records": 2, **run},
    }
    path = folder / "prints.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


@pytest.fixture
def prints(tmp_path: Path) -> Path:
    """A job over sixteen small prints, each another."""
    (tmp_path / "in").mkdir()
    for number in range(16):
        shifted = astronaut()[10 : 270 + number, 100 : 360 + number]
        cv2.imwrite(str(tmp_path / f"in/{number:02d}.png"), cv2.resize(shifted, (140, 140))[..., ::-1])
    return write_job(tmp_path)


def test_the_example_is_a_valid_job_and_fits_the_schema(tmp_path: Path) -> None:
    text = call("init", "restore").stdout
    path = tmp_path / "archive.yaml"
    assert call("init", "restore", path).exit_code == 0
    assert path.read_text() == text
    assert call("validate", path).exit_code == 0
    jsonschema.validate(yaml.safe_load(text), json.loads(call("schema").stdout))
    again = call("init", "restore", path)
    assert again.exit_code == Exit.USAGE
    assert "--force" in again.output


def test_a_bad_job_names_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_text("job: restore\nname: x\nsource: {kind: files, uri: in}\noutput: {uri: out}\nrun:\n  runer: ray\n")
    for command in ("validate", "run", "plan", "status", "verify"):
        result = call(command, path)
        assert result.exit_code == Exit.BAD_JOB
        assert f"{path}:6:3: run.runer" in result.stderr
        assert "runner" in result.stderr
        assert "Traceback" not in result.output


def test_a_source_without_records_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    result = call("run", write_job(tmp_path))
    assert result.exit_code == Exit.BAD_JOB
    assert "no record" in result.stderr


def test_a_place_without_a_run_says_so(tmp_path: Path) -> None:
    for command in ("status", "verify", "report"):
        result = call(command, tmp_path)
        assert result.exit_code == Exit.NO_RUN
        assert str(tmp_path) in result.stderr


def test_plan_counts_and_estimates_without_writing(prints: Path) -> None:
    result = call("plan", prints, "--sample", "2")
    assert result.exit_code == 0
    assert "16 records" in result.stdout
    assert "in 8 units" in result.stdout
    assert not (prints.parent / "out").exists()
    counted = json.loads(call("plan", prints, "--sample", "2", "--json").stdout)
    assert (counted["records"], counted["units"], counted["estimate"]["sampled"]) == (16, 8, 2)
    assert counted["estimate"]["seconds_per_record"] > 0
    assert json.loads(call("plan", prints, "--sample", "0", "--json").stdout)["estimate"] is None


def test_report_is_written_anew(prints: Path) -> None:
    assert call("run", prints).exit_code == 0
    report = next((prints.parent / "out/_facejobs/runs").glob("*/report.html"))
    report.unlink()
    result = call("report", prints.parent / "out")
    assert result.exit_code == 0
    assert result.stdout.strip().endswith(str(report))
    assert "prints" in report.read_text()


def test_version_names_what_touches_pixels() -> None:
    versions = json.loads(call("version", "--json").stdout)
    assert {"facejobs", "opencv-python-headless", "pyvips-binary", "numpy"} <= set(versions)


def test_every_exit_code_is_documented_and_distinct() -> None:
    assert set(MEANING) == set(Exit)
    assert len({int(code) for code in Exit}) == len(Exit)
    page = (DOCS / "command-line.md").read_text()
    assert all(f"| {int(code)} |" in page for code in Exit)


def test_every_command_is_documented() -> None:
    page = (DOCS / "command-line.md").read_text()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"facejobs {command.name or command.callback.__name__}" in page


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_is_continued_to_the_same_result(prints: Path, stop: signal.Signals) -> None:
    commits = prints.parent / "out/_facejobs/runs"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", str(prints)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while len(list(commits.glob("*/commits/*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(stop)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == (-9 if stop == signal.SIGKILL else Exit.INTERRUPTED), complaint
    status = json.loads(call("status", prints, "--json").stdout)
    assert status["state"] == "incomplete"
    assert 2 <= status["units_committed"] < 8
    committed = {path.name: path.read_bytes() for path in commits.glob("*/commits/*.json")}
    assert call("run", prints).exit_code == 0
    status = json.loads(call("status", prints, "--json").stdout)
    assert (status["units_committed"], status["records_ok"]) == (8, 16)
    after = {path.name: path.read_bytes() for path in commits.glob("*/commits/*.json")}
    assert {name: after[name] for name in committed} == committed  # nothing was done twice
    assert call("verify", prints).exit_code == 0


def test_init_with_a_path_in_place_of_the_kind_says_how(tmp_path: Path) -> None:
    result = call("init", tmp_path / "archive.yaml")
    assert result.exit_code == Exit.USAGE
    assert f"facejobs init restore {tmp_path / 'archive.yaml'}" in result.stderr
    nowhere = call("init", "restore", tmp_path / "no/such/archive.yaml")
    assert nowhere.exit_code == Exit.USAGE
    assert "cannot be written" in nowhere.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_work_begins_is_an_interruption_too(tmp_path: Path, stop: signal.Signals) -> None:
    path = tmp_path / "list.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"uri": "a.jpg"}\n' * 3_000_000, 1))
    job = write_job(tmp_path)
    job.write_text(job.read_text().replace("kind: files", "kind: manifest").replace("uri: in", "uri: list.jsonl.gz"))
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", str(job)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "1000 records listed" in process.stderr.readline()
    process.send_signal(stop)
    output, complaint = process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED
    assert output == ""
    assert "Traceback" not in complaint
    assert complaint.splitlines()[-1].startswith("interrupted")


def test_a_full_disk_claims_no_report_and_is_continued(prints: Path) -> None:
    limited = f"ulimit -f 20; exec {shlex.quote(sys.executable)} -m jobs run {shlex.quote(str(prints))}"
    process = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert process.returncode == Exit.STORAGE
    assert "cannot be written" in process.stderr
    assert "report" not in process.stdout
    assert call("run", prints).exit_code == 0
    assert call("verify", prints).exit_code == 0
