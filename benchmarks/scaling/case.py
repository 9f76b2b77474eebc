"""One case, in a process of its own: a cluster with logical GPUs, a planned run, the driver, and the times of it all.

`python -m benchmarks.scaling.case CASE.json RESULT.json`, as `measure.py` calls it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.scaling.work import NAPS, Gate, Sleeps, SleepWorkflow
from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.driver import Outcome, drive
from pipeline.plan import PlanSummary
from pipeline.records import Record, Unit
from pipeline.run import Run, RunHeader, make_first, plan_run
from pipeline.runners.contract import Pools
from pipeline.runners.pools import Room, pools_for
from pipeline.runners.ray import RayRunner
from pipeline.runners.ray_cluster import LEAST_STORE_BYTES, QUIET
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec, list_records
from pipeline.storage import Folder
from pipeline.watched.limits import Limits
from pipeline.worker import WorkerSpec

LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Phase:
    """Units of one size.

    Attributes:
        unit_records: records of each.
        units: how many.
    """

    unit_records: int
    units: int


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        gpus: logical GPUs, and so workers that run the middle.
        placement: fused or staged.
        isolate: whether workers are watched processes.
        phases: units of several sizes, one size after the other.
        sleeps: of a record.
        crop_bytes: of a record's crops, each way.
        output_bytes: of a record's output.
        source_bytes: of a record's source.
        folder: where everything is written; on a cluster a folder or URL that all machines see.
        address: of a cluster; empty starts one on this machine.
        store_bytes: of the object store of a cluster that is started here.
    """

    gpus: int
    placement: Literal["fused", "staged"]
    isolate: bool
    phases: tuple[Phase, ...]
    sleeps: Sleeps
    crop_bytes: int
    output_bytes: int
    source_bytes: int
    folder: str
    address: str = ""
    store_bytes: int = LEAST_STORE_BYTES

    @property
    def cpus(self) -> int:
        """Logical CPUs that its pools of equal size take, and one for Ray's own tasks."""
        return 1 + self.gpus * (1 if self.placement == "fused" else 3)

    @property
    def units(self) -> int:
        """Of all phases."""
        return sum(phase.units for phase in self.phases)

    @property
    def records(self) -> int:
        """Of all phases."""
        return sum(phase.units * phase.unit_records for phase in self.phases)

    def to_json(self) -> str:
        """See `from_json`."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Case:
        """The reverse of `to_json`."""
        raw: dict[str, Any] = json.loads(text)
        raw["phases"] = tuple(Phase(**phase) for phase in raw["phases"])
        return Case(**{**raw, "sleeps": Sleeps(**raw["sleeps"])})


def planned_units(record: Record, phases: tuple[Phase, ...]) -> Iterator[Unit]:
    """Units of the phases in order, all records being this one under other names: `phase/unit/record`."""
    index = count()
    for phase, size in enumerate(phases):
        for _ in range(size.units):
            number = next(index)
            keys = (f"{phase:02d}/{number:07d}/{place:05d}.jpg" for place in range(size.unit_records))
            (unit,) = cut_units((replace(record, key=key) for key in keys), size.unit_records, 2**62)
            yield replace(unit, index=number)


def planned_run(case: Case) -> tuple[Run, WorkerSpec]:
    """The run of a case in an empty folder, and what its workers need."""
    home = Folder(case.folder)
    home.write("in/record.jpg", os.urandom(case.source_bytes))
    source = SourceSpec("files", home.child("in").uri)
    (record,) = list_records(source)

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(run_id, "scaling", "scaling", {}, {}, plan)

    run = plan_run(home.child("out"), planned_units(record, case.phases), lambda record: record.key, header, "")
    make_first(run)
    workflow = SleepWorkflow(case.sleeps, case.crop_bytes, case.output_bytes, 1.0, Gate(home.child("gate")))
    return run, WorkerSpec(run.folder, source, SinkSpec("mirror", run.outputs), workflow)


def run_case(case: Case) -> dict[str, Any]:
    """Run it; gives times in seconds since 1970, counts, every nap, and when units were opened and committed.

    Raises:
        RuntimeError: the run did not come to its end.
    """
    run, spec = planned_run(case)
    with _cluster(case) as address:
        began = time.time()
        opening = _Opening(Gate(Folder(case.folder).child("gate")), sum(_sizes(case)))
        opening.start()
        limits = Limits() if case.isolate else None
        runner = RayRunner(Pools(workers=case.gpus, address=address, limits=limits))
        ends: list[float] = []
        outcome = drive(run, runner, spec, case.placement, 0, lambda tally, receipt: ends.append(time.time()))
        ended = time.time()
    if outcome.state != "complete":
        raise RuntimeError(f"{outcome.state}: {outcome.message}")
    return {
        **_counted(outcome),
        "began": began,
        "opened": opening.opened,
        "last_receipt": ends[-1],
        "ended": ended,
        "workers": _sizes(case),
        "naps": pq.read_table(pa.BufferReader(run.folder.read(layout.table(NAPS)))).to_pylist(),
        "units": [
            {
                "index": commit.index,
                "attempt": commit.attempt,
                "opened": datetime.fromisoformat(commit.started).timestamp(),
                "committed": datetime.fromisoformat(commit.finished).timestamp(),
                "stages": dict(commit.seconds),
            }
            for commit in run.ledger.commits([ref.unit_id for ref in run.refs()])
        ],
    }


def _counted(outcome: Outcome) -> dict[str, Any]:
    tally = outcome.tally
    return {
        "state": outcome.state,
        "message": outcome.message,
        "units_committed": tally.units_committed,
        "ok": tally.ok,
        "quarantined": tally.quarantined,
    }


def _sizes(case: Case) -> list[int]:
    """Workers of each pool, by the rule that the runner follows."""
    workflow = SleepWorkflow(case.sleeps, 0, 0)()
    room = Room(case.cpus, case.gpus)
    return [pool.size for pool in pools_for(workflow, case.placement, room, case.gpus, case.units)]


class _Opening(threading.Thread):
    """Opens the gate when all workers are there.

    Attributes:
        opened: when, in seconds since 1970; 0 while it is shut.
    """

    def __init__(self, gate: Gate, workers: int) -> None:
        super().__init__(name="gate", daemon=True)
        self._gate = gate
        self._workers = workers
        self.opened = 0.0

    def run(self) -> None:
        """Look until they are."""
        while self._gate.there() < self._workers:
            time.sleep(LOOK_SECONDS)
        self._gate.open()
        self.opened = time.time()


@contextmanager
def _cluster(case: Case) -> Iterator[str]:
    """The address of a cluster with the case's logical CPUs and GPUs, ended with the block; or of the one it names."""
    if case.address:
        yield case.address
        return
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    head = {
        "num_cpus": case.cpus,
        "num_gpus": case.gpus,
        "include_dashboard": False,
        "include_log_monitor": False,
        "object_store_memory": case.store_bytes,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    session = cluster.head_node.get_session_dir_path()
    try:
        yield cluster.address
    finally:
        cluster.shutdown()
        shutil.rmtree(session, ignore_errors=True)


def main() -> None:
    """Read the case, run it, write the result."""
    given, result = map(Path, sys.argv[1:])
    result.write_text(json.dumps(run_case(Case.from_json(given.read_text()))))


if __name__ == "__main__":
    main()
