"""A record that ends its worker is found, and costs one quarantine row."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.errors import LedgerError
from pipeline.parcel import Parcel
from pipeline.plan import PlanSummary, UnitRef
from pipeline.quarantine import standing
from pipeline.records import Artifact, Item, Record
from pipeline.run import Run, RunHeader, plan_run
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec, list_records
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.suspects import CAREFUL_FROM, WATCHED_CRASHES, one_by_one
from pipeline.trail import NoTrail, Trail
from pipeline.worker import Worker, WorkerSpec


@dataclass
class Pass:
    """Hands bytes on; at the word of its own it ends the process as a crash in a codec does."""

    name: str

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        data = context.read(item.record)
        if f"crash {self.name}".encode() in data:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "back":
            context.put(item.record, [Artifact(item.record.key, "image", data)])


def workflow() -> Workflow:
    front, middle, back = (Segment(name, (Pass(name),)) for name in ("front", "middle", "back"))
    return Workflow(front, middle, back, count=lambda _: {}, rows=lambda _: {}, tables={})


def planned(root: Path, texts: dict[str, str]) -> tuple[Run, WorkerSpec, UnitRef]:
    (root / "in").mkdir()
    for name, text in texts.items():
        (root / "in" / name).write_text(text)
    source = SourceSpec("files", str(root / "in"), include=("*.txt",))

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(run_id, "texts", "test", {}, {}, plan)

    units = cut_units(list_records(source), 10, 10**9)
    run = plan_run(Folder(str(root / "out")), units, lambda record: record.key, header, "identity")
    return run, WorkerSpec(run.folder, source, SinkSpec("mirror", run.outputs), workflow), next(run.refs())


def ends(spec: WorkerSpec, parcel: bytes, segments: tuple[int, ...]) -> int | None:
    """Exit code of a process that advances a parcel."""
    process = multiprocessing.get_context("fork").Process(
        target=lambda: Worker(spec, segments)(Parcel.unpack(parcel)), daemon=True
    )
    process.start()
    process.join(60)
    return process.exitcode


@pytest.mark.filterwarnings("ignore:This process")
def test_a_record_that_ends_its_worker_is_quarantined_and_the_others_go_on(tmp_path: Path) -> None:
    run, spec, ref = planned(tmp_path, {"a.txt": "one", "b.txt": "crash middle", "c.txt": "two"})
    parcel = Parcel(ref).pack()
    crashes = 0
    while ends(spec, parcel, (0, 1, 2)) == -signal.SIGKILL:
        crashes += 1
        assert crashes < 8, "the unit is taken again without end"
    assert {row.key: row.code for row in standing(run)} == {"b.txt": "worker_crashed"}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["a.txt", "c.txt"]


@pytest.mark.filterwarnings("ignore:This process")
def test_it_is_found_behind_the_first_worker_too_where_the_attempt_stays_the_same(tmp_path: Path) -> None:
    run, spec, ref = planned(tmp_path, {"a.txt": "one", "b.txt": "crash back", "c.txt": "two"})
    parcel = Worker(spec, [0])(Parcel(ref)).pack()
    parcel = Worker(spec, [1])(Parcel.unpack(parcel)).pack()
    crashes = 0
    while ends(spec, parcel, (2,)) == -signal.SIGKILL:
        crashes += 1
        assert crashes < 8, "the unit is taken again without end"
    assert {row.key: row.code for row in standing(run)} == {"b.txt": "worker_crashed"}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["a.txt", "c.txt"]


def items(*keys: str) -> list[Item]:
    return [Item(Record(key, f"s/{key}", "")) for key in keys]


def test_one_crash_at_a_record_is_forgiven_and_an_exception_is_none(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    lost: list[Any] = [one_by_one(items("a", "b"), folder, "u")]
    next(lost[0])  # and is never heard of again
    for _ in range(3):
        failing = one_by_one(items("a", "b"), folder, "u")
        assert next(failing).record.key == "a"
        with pytest.raises(OSError, match="storage"):
            failing.throw(OSError("storage"))
    assert [item.record.key for item in one_by_one(items("a", "b"), folder, "u")] == ["a", "b"]
    lost.append(one_by_one(items("a", "b"), folder, "u"))
    next(lost[1])
    left = items("a", "b")
    assert [item.record.key for item in one_by_one(left, folder, "u")] == ["b"]
    assert left[0].failure is not None
    assert left[0].failure.code == "worker_crashed"


def passed(root: Path, crashes: int, trail: Trail | None) -> int:
    """Records that are done of a unit that was begun often, and at whose only record a worker has ended so often."""
    root.mkdir()
    run, spec, ref = planned(root, {"a.txt": "one"})
    for _ in range(CAREFUL_FROM):
        run.ledger.begin(ref.unit_id)
    run.folder.write(layout.suspects(ref.unit_id), json.dumps({"crashes": {"a.txt": crashes}, "at": ""}).encode())
    receipt = Worker(spec, trail=trail)(Parcel(ref)).receipt
    assert receipt is not None
    assert receipt.state == "done"
    return receipt.ok


def test_a_watched_worker_ends_for_reasons_that_are_no_records(tmp_path: Path) -> None:
    """Its watcher knows of crashes; what is left are machines that go, and runs that are stopped at once."""
    assert passed(tmp_path / "a", 2, None) == 0
    assert passed(tmp_path / "b", WATCHED_CRASHES - 1, NoTrail()) == 1
    assert passed(tmp_path / "c", WATCHED_CRASHES, NoTrail()) == 0


def test_a_damaged_note_is_named(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    folder.write(layout.suspects("u"), b"{")
    with pytest.raises(LedgerError, match=r"suspects/u\.json"):
        list(one_by_one(items("a"), folder, "u"))
