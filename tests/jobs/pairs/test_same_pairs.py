"""The same job gives the same bytes, whatever runs it and however often it is broken off; all can be made again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from jobs.pairs.record import read_record
from jobs.pairs.regenerate import regenerate

if TYPE_CHECKING:
    from .conftest import Studio

BLOCKS: dict[str, Any] = {
    "samples": {"kind": "images", "size": 64},
    "degrade": {"recipe": "gfpgan", "variants": 60},
    "split": {"parts": {"train": 0.7, "val": 0.3}},
}


@pytest.fixture
def expected(studio: Studio) -> dict[str, bytes]:
    studio.run(studio.job("alone", **BLOCKS))
    outputs = studio.outputs("alone")
    assert len(outputs) > 60
    return outputs


def test_watched_workers_and_threads(studio: Studio, expected: dict[str, bytes]) -> None:
    studio.run(studio.job("watched", **BLOCKS, run={"isolate": True, "threads": 3, "unit_records": 2}))
    assert studio.outputs("watched") == expected


@pytest.mark.ray
def test_workers_of_a_cluster(studio: Studio, expected: dict[str, bytes]) -> None:
    studio.run(studio.job("cluster", **BLOCKS, run={"runner": "ray", "workers": 2, "unit_records": 4}))
    assert studio.outputs("cluster") == expected


def test_broken_off_with_signal_9(studio: Studio, expected: dict[str, bytes]) -> None:
    job = studio.job("killed", **BLOCKS, run={"isolate": True})
    commits = [_killed_after_a_commit(job, studio.root / "killed") for _ in range(2)]
    assert commits[0] < len(expected)  # it was still at work
    studio.run(job)
    assert studio.outputs("killed") == expected


def _killed_after_a_commit(job: Path, output: Path) -> int:
    """Run a job in a process of its own, kill it when one more shard is committed, and say how many there are."""

    def committed() -> int:
        return len(list(output.glob("_facejobs/runs/*/commits/*.json")))

    before = committed()
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", str(job)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while committed() == before and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return committed()


def test_any_of_a_thousand_pairs_is_made_again(studio: Studio) -> None:
    studio.run(
        studio.job(
            samples={"kind": "tiles", "size": 64, "step": 48},
            degrade={"recipe": "old-photo", "variants": 5},
            output={"shard_pairs": 400},
        )
    )
    rows = pq.read_table(studio.run_folder() / "pairs.parquet").to_pylist()
    chosen = random.Random(5).sample(rows, 1000)
    data = {path.name: path.read_bytes() for path in (studio.root / "photographs").rglob("*.*")}
    for row in chosen:
        record = read_record(row["record"].encode(), row["key"])
        made = regenerate(record, data[Path(json.loads(row["record"])["source"]["key"]).name])
        assert made.identical
        assert {"degraded", "target"} <= set(made.files)
