"""Two commands started on one run at once: both end well, and nothing is doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from jobs.exits import Exit
from jobs.places import output_of
from jobs.restore import start as beginner
from jobs.spec import RestoreJob, load
from pipeline.run import current_run
from pipeline.storage import Folder

if TYPE_CHECKING:
    from tests.conftest import S3Server

    from .conftest import Bench

COPIES = 6


@pytest.fixture
def many(bench: Bench) -> Bench:
    """Enough units for two drivers to meet over."""
    for number in range(COPIES):
        for name, data in bench.files.items():
            path = bench.root / "archive" / f"copy-{number:02d}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return bench


def together(*jobs: Path) -> list[int]:
    """Exit codes of `facejobs run` of these files, all started before any has ended."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "jobs", "run", str(job)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for job in jobs
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    assert not any("Traceback" in text for text in said), said
    return [process.returncode for process in running]


def books(output: Folder) -> tuple[int, int, int, list[str], set[str]]:
    """As commits say: units with an image, records ok and in quarantine, paths; and the objects that are there."""
    run = current_run(output)
    assert run is not None
    refs = list(run.refs())
    commits = list(run.ledger.commits(ref.unit_id for ref in refs))
    assert len(commits) == len(refs) == len(run.ledger.committed())
    named = [output.path for output in run.ledger.all_outputs(ref.unit_id for ref in refs)]
    there = {name for name, _ in output.walk() if not name.startswith("_facejobs/")}
    return (
        sum(c.ok > 0 for c in commits),
        sum(c.ok for c in commits),
        sum(len(c.quarantined) for c in commits),
        named,
        there,
    )


@pytest.mark.parametrize("layout", ["mirror", "webdataset"])
def test_two_drivers_on_one_run(many: Bench, layout: str) -> None:
    job = many.job("two", output={"layout": layout})
    assert together(job, job) == [Exit.QUARANTINED] * 2
    holding, ok, quarantined, named, there = books(Folder(str(many.root / "two")))
    assert ok + quarantined == 7 * (COPIES + 1)
    assert ok == 4 * (COPIES + 1)
    assert sorted(named) == sorted(there)
    assert len(named) == (holding if layout != "mirror" else 2 * ok)
    assert many.call("verify", job).exit_code == Exit.DONE
    assert many.call("run", job).stdout.startswith("nothing to do")


def test_a_second_driver_that_comes_late_helps(many: Bench) -> None:
    """It takes up what is not done yet, whoever planned it."""
    job = many.job("late", run={"unit_records": 2})
    first = subprocess.Popen([sys.executable, "-m", "jobs", "run", str(job)], stderr=subprocess.PIPE, text=True)
    while not list((many.root / "late").rglob("commits/*.json")):
        assert first.poll() is None
    assert many.call("run", job).exit_code == Exit.QUARANTINED
    first.communicate(timeout=300)
    assert first.returncode == Exit.QUARANTINED
    _, ok, quarantined, named, there = books(Folder(str(many.root / "late")))
    assert (ok, quarantined) == (4 * (COPIES + 1), 3 * (COPIES + 1))
    assert sorted(named) == sorted(there)


@pytest.mark.parametrize("existing", ["refuse", "version"])
def test_a_driver_that_looked_before_the_other_one_wrote(
    bench: Bench, existing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.job("early", output={"existing": existing})
    assert bench.call("run", path).exit_code == Exit.QUARANTINED
    job = load(path)
    assert isinstance(job, RestoreJob)
    run = current_run(output_of(job))
    assert run is not None
    monkeypatch.setattr(beginner, "current_run", lambda _output: None)
    monkeypatch.setattr(beginner, "known_run", lambda *_: None)
    assert beginner.start(job).run.header == run.header


@pytest.mark.s3
def test_two_drivers_on_s3(many: Bench, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_SECRET", s3.secret)
    bucket = s3.bucket("two")
    options = {**s3.options, "secret": "${S3_SECRET}"}
    job = many.job("s3", output={"uri": f"{bucket}/out", "layout": "webdataset", "storage_options": options})
    assert yaml.safe_load(job.read_text())["output"]["uri"].startswith("s3://")
    assert together(job, job) == [Exit.QUARANTINED] * 2
    holding, ok, quarantined, named, there = books(Folder(f"{bucket}/out", s3.options))
    assert (ok, quarantined) == (4 * (COPIES + 1), 3 * (COPIES + 1))
    assert sorted(named) == sorted(there)
    assert len(named) == holding
