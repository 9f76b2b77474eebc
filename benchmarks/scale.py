"""The ledger at scale: resuming a run of ten million records, and planning a million objects; time and peak memory.

A synthetic run is written to a local disk: plan, attempt marks, commits and table parts as a real run of a mirrored
archive has them, without a single image. Every case then runs in a process of its own, so that its peak memory is its
own; the time is that of the whole process, from start to exit.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.listed import URI, register
from benchmarks.s3_server import s3_server
from benchmarks.synthetic import write_run
from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.driver import drive
from pipeline.parcel import Receipt
from pipeline.plan import PlanSummary, UnitRef
from pipeline.run import Run, RunHeader, current_run, plan_run
from pipeline.runners.contract import Placement
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec, list_records
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec

UNIT_RECORDS = 500
LISTINGS = (250_000, 500_000, 1_000_000)
PUTS = 5_000


@dataclass
class FirstUnit:
    """A runner that ends the run as soon as it is given units; the time until then is what a resume costs."""

    units: int = 0

    def run(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement, drain: threading.Event
    ) -> Iterator[Receipt]:
        """See `Runner.run`."""
        self.units = len(refs)
        yield Receipt(refs[0].unit_id, "worker", message="enough was seen")


def resume(folder: Path) -> str:
    """What `facejobs run` does with a run that is there, but for looking for models and writing the report."""
    run = _run(folder)
    runner = FirstUnit()
    spec = WorkerSpec(run.folder, SourceSpec("files", "nowhere"), SinkSpec("mirror", run.outputs), _no_workflow)
    outcome = drive(run, runner, spec, "fused", 10**9, lambda tally, receipt: None)
    return f"{outcome.state}, {outcome.tally.done} records decided, {runner.units} units left"


def plan(uri: str, folder: Path, options: dict[str, object]) -> str:
    """List a source of loose objects, cut units, and write the plan."""
    records = list_records(SourceSpec("files", uri, options=options))
    units = cut_units(records, UNIT_RECORDS, 2**40)
    shutil.rmtree(folder, ignore_errors=True)
    header = lambda run_id, summary: RunHeader(run_id, "bench", "restore", {}, {}, summary)  # noqa: E731
    summary: PlanSummary = plan_run(Folder(str(folder)), units, lambda record: record.key, header, "").header.plan
    return f"{summary.records} records in {summary.units} units"


def main() -> None:
    """Write the run, then measure each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/scale"))
    parser.add_argument("--s3", type=int, default=0, metavar="N", help="plan N and then 2 N objects on SeaweedFS, too")
    parser.add_argument("--s3-only", action="store_true", help="nothing but that")
    parser.add_argument("--options", type=json.loads, default={}, help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    register()
    folder: Path = given.folder.resolve()
    if given.case:
        sys.stdout.write(f"{_case(given.case, folder, given.options)}|{_peak()}")
        return
    shutil.rmtree(folder, ignore_errors=True)
    if not given.s3_only:
        _local(folder, given.records)
    if given.s3:
        _on_s3(folder, given.s3)
    shutil.rmtree(folder, ignore_errors=True)


def _local(folder: Path, records: int) -> None:
    """The ledger on a local disk, and planning from a listing that costs nothing."""
    began = time.perf_counter()
    size = write_run(folder / "run", records, UNIT_RECORDS)
    seconds = time.perf_counter() - began
    _say(f"{records} records in {-(-records // UNIT_RECORDS)} units, written in {seconds:.0f} s: {size}")
    _measure("all units committed, no manifest: resume finishes the run", "resume", folder)
    _measure("the run is finished: resume has nothing to do", "resume", folder)
    _halve(folder)
    _measure("half of the commits are there: resume, to the first unit", "resume", folder)
    shutil.rmtree(folder / "run")
    for count in LISTINGS:
        _measure(f"planning {count} loose objects of a simulated listing", f"plan {URI}{count}", folder)


def _on_s3(folder: Path, count: int) -> None:
    """Planning from a listing of a real S3 server; half of the objects lie in a folder of their own."""
    with s3_server() as server:
        bucket = server.bucket("scale")
        for half in ("a", "b"):
            for start in range(0, count, PUTS):
                numbers = range(start, min(start + PUTS, count))
                server.fs.pipe({f"{bucket}/{half}/box-{n // 1000:04d}/print-{n:07d}.jpg": b"x" for n in numbers})
        _measure(f"planning {count} objects on SeaweedFS", f"plan {bucket}/a", folder, server.options)
        _measure(f"planning {2 * count} objects on SeaweedFS", f"plan {bucket}", folder, server.options)


def _case(case: str, folder: Path, options: dict[str, object]) -> str:
    if case == "resume":
        return resume(folder / "run")
    return plan(case.removeprefix("plan "), folder / "plan", options)


def _measure(what: str, case: str, folder: Path, options: dict[str, object] | None = None) -> None:
    """Run a case in a process of its own, and print its time, its peak memory and what it says."""
    command = [sys.executable, "-m", "benchmarks.scale", "--case", case, "--folder", str(folder)]
    command += ["--options", json.dumps(options or {})]
    began = time.perf_counter()
    said, peak = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("|")
    seconds = time.perf_counter() - began
    _say(f"  {what:62s} {seconds:7.1f} s  peak {int(peak) / 2**20:6.0f} MiB  ({said})")


def _peak() -> int:
    """Most bytes that this process has held: VmHWM of proc(5), which getrusage(2) would mix with its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _halve(folder: Path) -> None:
    """Take the manifest and every second commit away."""
    run = _run(folder / "run")
    home = Path(run.folder.root)
    (home / layout.MANIFEST).unlink()
    for place, ref in enumerate(run.refs()):
        if place % 2:
            (home / layout.commit_mark(ref.unit_id)).unlink()


def _run(folder: Path) -> Run:
    run = current_run(Folder(str(folder)))
    assert run is not None
    return run


def _no_workflow() -> object:
    raise AssertionError("no worker is started here")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
