"""A unit of twenty searches that is killed in the middle of one: what is kept, what is done again, what comes out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from operators.inversion.state import State

from .test_inversion_jobs import add_prior, inversion_job, run, write_crops

if TYPE_CHECKING:
    from .conftest import Bench

FACES, STEPS, KEPT = 20, 24, 6
OPTIONS = {"iterations": STEPS, "checkpoint_steps": KEPT}
RUN = {"unit_records": FACES, "isolate": True}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("priors") / "cache"
    add_prior(folder)
    return folder


def progress(bench: Bench, name: str) -> list[Path]:
    return [path for path in (bench.root / name).glob("_facejobs/runs/*/progress/*/*") if ".part" not in path.name]


def commit(bench: Bench, name: str) -> dict[str, Any]:
    (path,) = (bench.root / name).glob("_facejobs/runs/*/commits/*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def killed_after(bench: Bench, job: Path, begun: int) -> None:
    """Run a job in a process of its own and kill that when it has kept states of so many faces."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", str(job)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        while len(progress(bench, job.stem)) < begun:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    states = None
    while states != (states := {path: path.stat().st_mtime_ns for path in progress(bench, job.stem)}):
        time.sleep(0.3)  # the worker ends with the command, a moment later


def test_at_most_the_last_checkpoints_work_is_repeated(bench: Bench, cache: Path) -> None:
    write_crops(bench, FACES)
    records = run(bench, inversion_job(bench, cache, "undisturbed", OPTIONS, run=RUN))
    assert len(records) == FACES
    whole = commit(bench, "undisturbed")
    assert whole["counts"]["search_iterations"] == FACES * STEPS

    job = inversion_job(bench, cache, "killed", OPTIONS, run=RUN)
    killed_after(bench, job, 8)
    states = [State.from_bytes(path.read_bytes()) for path in progress(bench, "killed")]
    kept = [state.iteration for state in states if state is not None]
    assert 8 <= len(kept) < FACES
    assert sum(state is not None and state.ended is None for state in states) <= 1
    run(bench, job)
    assert bench.outputs("killed") == bench.outputs("undisturbed")
    # What the first attempt did beyond `kept` is the work since the last state of the one face that it was at.
    assert commit(bench, "killed")["counts"]["search_iterations"] == FACES * STEPS - sum(kept)
    assert all(iterations % KEPT == 0 for iterations in kept)
    assert progress(bench, "killed") == []


def test_what_other_attempts_have_left_is_garbage_once_the_unit_is_committed(bench: Bench, cache: Path) -> None:
    write_crops(bench, 2)
    job = inversion_job(bench, cache, "clean", run={"unit_records": 1})
    run(bench, job)
    run_folder = next((bench.root / "clean").glob("_facejobs/runs/*"))
    units = [path.stem for path in sorted((run_folder / "commits").glob("*.json"))]
    left = run_folder / "progress" / units[0] / ("a" * 64)
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"state")
    result = bench.call("gc", bench.root / "clean", "--older-than", "0s", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["removed"]["progress"] == {"objects": 1, "bytes": 5}
    assert not left.exists()

    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"state")
    (run_folder / "commits" / f"{units[0]}.json").unlink()
    (run_folder / "manifest.json").unlink()
    for mark in (run_folder / "attempts" / units[0]).glob("*.json"):
        mark.unlink()
    result = bench.call("gc", bench.root / "clean", "--older-than", "0s", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["removed"]["progress"] == {"objects": 0, "bytes": 0}
    assert left.exists()
