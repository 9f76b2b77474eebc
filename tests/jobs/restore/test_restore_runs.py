"""The pointer to the current run, and what is said of a job that was changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Bench

WEAK, REPLACE = {"strength": 0.5}, {"existing": "replace"}


def current(bench: Bench, name: str = "job") -> str:
    run_id: str = json.loads((bench.root / name / "_facejobs/current.json").read_text())["run_id"]
    return run_id


def test_a_driver_that_died_before_the_pointer_was_written_leaves_a_run_to_take_up(bench: Bench) -> None:
    bench.call("run", bench.job())
    old = (bench.root / "job/_facejobs/current.json").read_bytes()
    replace = bench.job(restore=WEAK, output=REPLACE)
    bench.call("run", replace)
    new = current(bench)
    (bench.root / "job/_facejobs/current.json").write_bytes(old)
    bench.call("run", replace)
    assert current(bench) == new


def test_a_changed_job_shows_the_run_that_is_there_and_says_so(bench: Bench) -> None:
    bench.call("run", bench.job())
    result = bench.call("status", bench.job(restore=WEAK))
    assert result.exit_code == 0
    assert "was changed since" in result.stderr
