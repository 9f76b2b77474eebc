"""The demo's job file: loads, and says what the demo promises."""

from __future__ import annotations

from pathlib import Path

from jobs.spec import load

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_job_reads_and_writes_where_the_makefile_says() -> None:
    job = load(ROOT / "examples" / "archive.yaml")
    assert Path(job.source.uri).resolve() == ROOT / "build" / "demo" / "archive"
    assert Path(job.output.uri).resolve() == ROOT / "build" / "demo" / "restored"
    assert (job.run.runner, job.restore.model, job.output.format) == ("ray", "compact", "same")


def test_three_of_sixteen_in_quarantine_are_within_the_budget() -> None:
    budget = load(ROOT / "examples" / "archive.yaml").run.max_quarantined
    assert isinstance(budget, str)
    share = float(budget.rstrip("%"))
    assert 100 * 3 / 16 < share < 100 * 6 / 16, "the broken files fit, twice as many would not"
