"""Records that end processes: each becomes one row with its true cause, and all others are done."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.driver import Outcome, drive
from pipeline.errors import WorkerError
from pipeline.parcel import Parcel
from pipeline.quarantine import standing
from pipeline.runners.contract import Pools, Runner
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.sinks import SinkSpec
from pipeline.watched.limits import Limits
from pipeline.watched.watcher import WatchedWorker
from tests.pipeline.bed import Bed
from tests.pipeline.test_worker_faults import Faulty

from .poison import poisoned

LIMITS = Limits(record_seconds=2.0, unit_seconds=60.0, memory=700 * 2**20)
SOUND = {f"{number:02d}.txt": f"text {number}" for number in range(9)}


def run(bed: Bed, runner: Runner, placement: Any = "fused", **changes: Any) -> Outcome:
    spec = replace(bed.spec, workflow=poisoned, **changes)
    return drive(bed.run, runner, spec, placement, 100, lambda tally, receipt: None)


def rows(bed: Bed) -> dict[str, tuple[str, str]]:
    return {row.key: (row.code, row.stage) for row in standing(bed.run)}


POISON = [
    ("segfault", "worker_crashed", "load"),
    ("endless", "timed_out", "load"),
    ("memory", "out_of_memory", "load"),
    ("leaves", "worker_crashed", "load"),
    ("killed", "worker_crashed", "load"),
    ("batch segfault", "worker_crashed", "middle"),
    ("later segfault", "worker_crashed", "put"),
]


@pytest.mark.parametrize(("text", "code", "stage"), POISON, ids=[text for text, *_ in POISON])
def test_a_poison_record_is_one_row_with_its_cause_and_place(tmp_path: Path, text: str, code: str, stage: str) -> None:
    bed = Bed(tmp_path, {**SOUND, "05.txt": text}, unit_records=5)
    outcome = run(bed, LocalRunner(LIMITS))
    assert outcome.state == "complete"
    assert rows(bed) == {"05.txt": (code, stage)}
    assert (outcome.tally.ok, outcome.tally.quarantined) == (8, 1)
    named = [output.key for output in bed.run.ledger.all_outputs(ref.unit_id for ref in bed.run.refs())]
    assert named == sorted(set(SOUND) - {"05.txt"})


MESSAGES = {
    "segfault": r"ended 2 times in this stage: it was ended by SIGSEGV .*at line \d+ of poison\.py, in act",
    "endless": r"not through with this stage after 2 s.*raise run\.record_seconds",
    "memory": r"held \d+\.\d GiB, more than run\.worker_memory \(0\.7 GiB\)",
    "leaves": "it left with exit code 7",
    "killed": "ended 5 times in this stage: it was ended by SIGKILL",
}


def test_what_is_said_of_each(tmp_path: Path) -> None:
    """All in one unit, and with two at a time in a stage, where the innocent one beside it must go free."""
    texts = {f"{name}.txt": name for name in MESSAGES}
    bed = Bed(tmp_path, {**SOUND, **texts}, unit_records=100)
    outcome = run(bed, LocalRunner(LIMITS), threads=2)
    assert outcome.state == "complete"
    said = {row.key.removesuffix(".txt"): row.message for row in standing(bed.run)}
    assert said.keys() == MESSAGES.keys()
    for name, message in said.items():
        assert re.search(MESSAGES[name], message), message


@pytest.mark.parametrize("layout", ["webdataset", "parquet"])
def test_shards_are_as_if_the_poison_had_failed_quietly(tmp_path: Path, layout: str) -> None:
    shards = []
    for place, text in (("poison", "segfault"), ("quiet", "bad")):
        bed = Bed(tmp_path / place, {**SOUND, "03.txt": text}, unit_records=5)
        assert run(bed, LocalRunner(LIMITS), sink=SinkSpec(layout, bed.run.outputs)).state == "complete"  # type: ignore[arg-type]
        names = [output.path for output in bed.run.ledger.all_outputs(ref.unit_id for ref in bed.run.refs())]
        shards.append([(tmp_path / place / "out" / name).read_bytes() for name in names])
        left = {path.name for path in (tmp_path / place / "out").glob("shard*")}
        assert left == set(names)  # nothing of the attempts that ended
    assert shards[0] == shards[1]


def test_a_unit_that_takes_too_long_goes_record_by_record(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{number}.txt": "slow" for number in range(8)}, unit_records=8)
    outcome = run(bed, LocalRunner(Limits(record_seconds=5.0, unit_seconds=1.0)))
    assert (outcome.state, outcome.tally.ok) == ("complete", 8)
    (ref,) = bed.run.refs()
    assert len(bed.run.folder.names(f"attempts/{ref.unit_id}")) == 2


def test_what_never_ends_in_a_batch_is_found_alone(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {**SOUND, "04.txt": "batch endless"}, unit_records=9)
    assert run(bed, LocalRunner(Limits(record_seconds=30.0, unit_seconds=2.0))).state == "complete"
    assert rows(bed) == {"04.txt": ("timed_out", "middle")}


def test_a_process_that_somebody_kills_costs_no_record(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{number}.txt": "slow" for number in range(6)}, unit_records=6)
    worker = WatchedWorker(replace(bed.spec, workflow=poisoned), (0, 1, 2), LIMITS)
    killer = subprocess.Popen(
        [sys.executable, "-c", f"import os, time; time.sleep(1); os.kill({worker._process.pid}, 9)"]  # type: ignore[union-attr]
    )
    try:
        (ref,) = bed.run.refs()
        receipt = Parcel.unpack(worker(Parcel(ref).pack())).receipt
    finally:
        worker.close()
        killer.wait()
    assert receipt is not None
    assert (receipt.state, receipt.ok) == ("done", 6)
    assert len(bed.run.folder.names(f"attempts/{ref.unit_id}")) == 2


def test_the_process_ends_with_the_one_that_watches_it(tmp_path: Path) -> None:
    """Even while native code holds its interpreter."""
    bed = Bed(tmp_path, {"0.txt": "endless"})
    watcher = os.fork()
    if watcher == 0:
        worker = WatchedWorker(replace(bed.spec, workflow=poisoned), (0, 1, 2), Limits())
        (tmp_path / "pid").write_text(str(worker._process.pid))  # type: ignore[union-attr]
        worker(Parcel(next(bed.run.refs())).pack())
        os._exit(0)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").rglob("attempts/*/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    watched = psutil.Process(int((tmp_path / "pid").read_text()))
    os.kill(watcher, signal.SIGKILL)
    os.waitpid(watcher, 0)
    assert psutil.wait_procs([watched], timeout=30)[1] == []


def test_a_worker_that_cannot_be_set_up_says_why(tmp_path: Path) -> None:
    bed = Bed(tmp_path, SOUND)
    with pytest.raises(WorkerError, match="cannot set up stage 'middle': no such model"):
        WatchedWorker(replace(bed.spec, workflow=Faulty(RuntimeError("no such model"))), (0, 1, 2), LIMITS)


@pytest.mark.ray
@pytest.mark.parametrize("placement", ["fused", "staged"])
def test_on_ray_too(tmp_path: Path, placement: str) -> None:
    texts = {**SOUND, "01.txt": "segfault", "04.txt": "endless", "07.txt": "later leaves"}
    bed = Bed(tmp_path, texts, unit_records=3)
    outcome = run(bed, RayRunner(Pools(2, limits=LIMITS)), placement)
    assert outcome.state == "complete"
    assert rows(bed) == {
        "01.txt": ("worker_crashed", "load"),
        "04.txt": ("timed_out", "load"),
        "07.txt": ("worker_crashed", "put"),
    }
