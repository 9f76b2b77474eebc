"""Running a case in a process of its own, and making figures of what it says and of what it took."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.scaling.case import Case
from benchmarks.scaling.timeline import Loss, loss_in, naps_of, share_asked, spans_of, window_of
from benchmarks.scaling.watching import Look, Watching, cores_in, most_in

CASE_SECONDS = 900.0
ROOT = Path(__file__).parents[2]
JUDGED = {"fused": frozenset({"front", "middle", "back"}), "staged": frozenset({"middle"})}
"""Segments of the workers that throughput is measured at: those with a GPU."""


@dataclass(frozen=True)
class Figures:
    """What a phase of a case came to.

    Attributes:
        placement: fused or staged.
        isolate: whether workers were watched processes.
        gpus: workers with a GPU.
        crop_bytes: of a record's crops, each way.
        store_bytes: of the cluster's object store; 0 where it is not known.
        unit_records: records of a unit.
        record_seconds: that a worker with a GPU sleeps for a record.
        ideal: records a second of workers that only sleep.
        efficiency: throughput over ideal, in the window.
        window: seconds of the window.
        units: committed, of all phases together.
        startup: seconds from the driver's start until all workers were set up.
        finishing: seconds from the last receipt until the run was finished.
        cores: kept busy in the window, by role; empty where it could not be seen.
        held: bytes, by role, when most was held in the window.
        processes: at that time.
        loss: seconds a unit that were not slept as asked.
    """

    placement: str
    isolate: bool
    gpus: int
    crop_bytes: int
    store_bytes: int
    unit_records: int
    record_seconds: float
    ideal: float
    efficiency: float
    window: float
    units: int
    startup: float
    finishing: float
    cores: Mapping[str, float]
    held: Mapping[str, int]
    processes: Mapping[str, int]
    loss: Loss | None

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.ideal * self.efficiency

    @property
    def unit_seconds(self) -> float:
        """That a worker with a GPU sleeps for a unit."""
        return self.unit_records * self.record_seconds

    @property
    def commits(self) -> float:
        """Commits a second."""
        return self.rate / self.unit_records

    @property
    def cpu_ms(self) -> float | None:
        """Milliseconds of processor time a record, of all processes; None where it could not be seen."""
        return 1000 * sum(self.cores.values()) / self.rate if self.cores else None

    @staticmethod
    def from_dict(raw: Mapping[str, Any]) -> Figures:
        """The reverse of `dataclasses.asdict`."""
        return Figures(**{**raw, "loss": Loss(**raw["loss"]) if raw["loss"] else None})


def measured(case: Case) -> list[Figures]:
    """Run a case; figures of each phase but the first, in which workers load what they need only once.

    Raises:
        RuntimeError: it failed, took too long, or did not commit every unit.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given, result = Path(scratch, "case.json"), Path(scratch, "result.json")
        given.write_text(case.to_json())
        command = [sys.executable, "-m", "benchmarks.scaling.case", str(given), str(result)]
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
        with Path(scratch, "said").open("w+") as said:
            environment = {**os.environ, "PYTHONPATH": path}
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, env=environment)
            with Watching(process.pid) as watching:
                code = _ended(process)
            said.seek(0)
            if code:
                raise RuntimeError(f"{case}: ended with exit code {code}\n{said.read()[-4000:]}")
        raw = json.loads(result.read_text())
    if "://" not in case.folder:
        shutil.rmtree(case.folder, ignore_errors=True)
    return figures_of(case, raw, watching.looks)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for a case's end; its exit code. One that takes too long is killed with all that it has started."""
    try:
        return process.wait(CASE_SECONDS)
    except subprocess.TimeoutExpired:
        top = psutil.Process(process.pid)
        for each in (*top.children(recursive=True), top):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        return process.wait()


def figures_of(case: Case, raw: Mapping[str, Any], looks: Sequence[Look]) -> list[Figures]:
    """See `measured`.

    Args:
        case: what was run.
        raw: what `case.run_case` has given.
        looks: at its processes.
    """
    wrong = (raw["state"], raw["units_committed"], raw["ok"]) != ("complete", case.units, case.records)
    if wrong or len(raw["units"]) != case.units:
        raise RuntimeError(
            f"{case}: {raw['state']}, {raw['units_committed']} of {case.units} units, {raw['ok']} of {case.records} "
            f"records; {raw['message']}"
        )
    naps = naps_of(raw["naps"], JUDGED[case.placement])
    marks = {unit["index"]: (unit["opened"], unit["committed"]) for unit in raw["units"]}
    return [_of_phase(case, raw, looks, phase, naps, marks) for phase in range(1, len(case.phases))]


def _of_phase(
    case: Case, raw: Mapping[str, Any], looks: Sequence[Look], phase: int, naps: list[Any], marks: dict[int, Any]
) -> Figures:
    begin, end = window = window_of(naps, phase)
    if end <= begin:
        raise RuntimeError(f"{case}: phase {phase} has too few units; none was begun after all workers had one")
    each = case.sleeps.total if case.placement == "fused" else case.sleeps.middle
    most = most_in(looks, window)
    mine = spans_of(nap for nap in naps if nap.phase == phase)
    return Figures(
        placement=case.placement,
        isolate=case.isolate,
        gpus=case.gpus,
        crop_bytes=case.crop_bytes,
        store_bytes=case.store_bytes if not case.address else 0,
        unit_records=case.phases[phase].unit_records,
        record_seconds=each,
        ideal=case.gpus / each,
        efficiency=share_asked(naps, window, case.gpus),
        window=end - begin,
        units=case.units,
        startup=raw["opened"] - raw["began"],
        finishing=raw["ended"] - raw["last_receipt"],
        cores=cores_in(looks, window) if not case.address else {},
        held=most.held if most and not case.address else {},
        processes=most.processes if most and not case.address else {},
        loss=loss_in(mine, marks if case.placement == "fused" else {}, window),
    )
