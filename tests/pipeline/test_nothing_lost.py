"""What must hold when replies get lost, drivers meet, records are retried and storage fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.driver import drive
from pipeline.errors import RunConflictError, StorageError
from pipeline.ledger import Commit, Ledger
from pipeline.parcel import Parcel
from pipeline.plan import PlanReader
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Artifact, Item, Unit
from pipeline.run import Run, current_run, make_first, plan_retry, plan_run
from pipeline.runners.contract import Pools
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.runners.ray_cluster import cluster
from pipeline.sinks import SinkSpec
from pipeline.sources import list_records
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.tally import tally_of
from pipeline.verify import verify
from pipeline.worker import Worker

from .bed import TEXTS, Bed, Load, Put, quarantined, workflow


class Unsure(Folder):
    """Storage on which a commit gets through while its reply, and every further try, is lost."""

    def create(self, name: str, data: bytes) -> bool:
        made = super().create(name, data)
        if name.startswith("commits/"):
            raise StorageError("connection reset")
        return made


def test_a_commit_that_stands_keeps_its_outputs_though_its_put_seemed_to_fail(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    spec = replace(bed.spec, run=Unsure(bed.run.folder.uri), sink=SinkSpec("webdataset", bed.run.outputs))
    refs = list(bed.run.refs())
    parcel = Worker(spec)(Parcel(refs[0]))
    assert parcel.receipt is not None
    assert parcel.receipt.state == "storage"
    commit = Ledger(bed.run.folder).find(refs[0].unit_id)
    assert commit is not None
    (shard,) = Ledger(bed.run.folder).outputs(commit)
    assert (tmp_path / "out" / shard.path).is_file()


def test_a_unit_that_is_committed_while_the_driver_starts_is_counted_once(tmp_path: Path) -> None:
    """Another driver commits between this one's count and its list of what is left."""
    bed = Bed(tmp_path, TEXTS)
    refs = list(bed.run.refs())

    class Meanwhile(Ledger):
        def commits(self, unit_ids: Iterable[str]) -> Iterator[Commit]:
            yield from super().commits(unit_ids)
            Worker(bed.spec)(Parcel(refs[0]))

    class Watched(Run):
        @property
        def ledger(self) -> Ledger:
            return Meanwhile(self.folder)

    run = Watched(bed.output, bed.run.header)
    outcome = drive(run, LocalRunner(), bed.spec, "fused", 100, lambda tally, receipt: None)
    assert (outcome.state, outcome.worked) == ("complete", 2)
    assert (outcome.tally.ok, outcome.tally.quarantined) == (4, 1)


def test_samples_that_storage_refuses_stop_the_run_and_quarantine_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    samples = tmp_path / "out" / layout.HOME / "runs" / bed.run.header.run_id / layout.SAMPLES
    samples.symlink_to("/proc/facejobs")  # no folder can be made there, not even by root

    @dataclass
    class Sampled(Put):
        def process(self, item: Item, context: UnitContext) -> None:
            context.keep_sample("one.jpg", b"pixels")
            super().process(item, context)

    spec = replace(bed.spec, workflow=lambda: replace(workflow(), back=Segment("back", (Sampled(),))))
    outcome = drive(bed.run, LocalRunner(), spec, "fused", 100, lambda tally, receipt: None)
    assert outcome.state == "storage"
    assert outcome.tally.quarantined == 0


def test_what_a_refused_record_had_put_is_in_no_commit(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)

    @dataclass
    class PutTwo(Put):
        def process(self, item: Item, context: UnitContext) -> None:
            names = [item.record.key, "x" * 300 if item.record.key == "e.txt" else f"{item.record.key}.json"]
            context.put(item.record, [Artifact(name, "image", item.payload.data) for name in names])

    spec = replace(bed.spec, workflow=lambda: replace(workflow(), back=Segment("back", (PutTwo(),))))
    assert drive(bed.run, LocalRunner(), spec, "fused", 100, lambda tally, receipt: None).state == "complete"
    assert quarantined(bed) == {"b/d.txt": "bad_text", "e.txt": "bad_name"}
    named = {output.key for output in bed.run.ledger.all_outputs(ref.unit_id for ref in bed.run.refs())}
    assert named == {"a.txt", "b/c.txt", "f.txt"}
    assert verify(bed.run).extra == ["e.txt"]  # an orphan, and said to be one


def test_reasons_are_counted_as_they_are_after_a_retry(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {**TEXTS, "g.txt": "bad too"})
    bed.drive()
    assert tally_of(bed.run).codes == {"bad_text": 2}
    (tmp_path / "in" / "g.txt").write_text("good")
    (tmp_path / "in" / "b" / "d.txt").unlink()
    records = [replace(record, size=-1, version="") for record in records_of(bed.run, {"g.txt", "b/d.txt"})]
    plan_retry(bed.run, cut_units(records, 1, 10**9, salt="retry 1"), lambda record: record.key)
    assert tally_of(bed.run).codes == {"bad_text": 2}  # planned, not done
    Worker(bed.spec)(Parcel(next(ref for ref in bed.run.refs() if ref.round == 1)))
    assert sum(tally_of(bed.run).codes.values()) == tally_of(bed.run).quarantined
    outcome = bed.drive()
    assert outcome.tally.codes == tally_of(bed.run).codes == {"missing": 1}
    rows = bed.run.folder.read(layout.QUARANTINE).decode().splitlines()
    assert [row.split(",")[0] for row in rows] == ["key", "b/d.txt"]


def test_of_two_retries_planned_at_once_one_is_refused_and_the_other_whole(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {**TEXTS, "g.txt": "bad too"})
    bed.drive()

    def units_of(key: str) -> Iterator[Unit]:
        yield from cut_units(records_of(bed.run, {key}), 1, 10**9, salt="retry 1")

    def meanwhile() -> Iterator[Unit]:
        yield from units_of("g.txt")
        plan_retry(bed.run, units_of("b/d.txt"), lambda record: record.key)

    with pytest.raises(RunConflictError, match="another retry"):
        plan_retry(bed.run, meanwhile(), lambda record: record.key)
    reader = PlanReader(bed.run.folder)
    retried = [reader.unit(ref).records[0].key for ref in bed.run.refs() if ref.round == 1]
    assert retried == ["b/d.txt"]
    assert bed.drive().state == "complete"


def test_a_record_that_shares_its_key_is_not_retried_for_the_other(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {"a.txt": "one"})
    first = next(list_records(bed.source))
    bed.run = plan_run(
        Folder(str(tmp_path / "two")), cut_units([first, first], 9, 10**9), lambda r: r.key, bed.header, ""
    )
    spec = replace(bed.spec, sink=SinkSpec("mirror", bed.run.outputs))
    drive(bed.run, LocalRunner(), spec, "fused", 100, lambda tally, receipt: None)
    assert quarantined(bed) == {"a.txt": "duplicate_name"}
    assert [output.path for output in bed.run.ledger.all_outputs([next(bed.run.refs()).unit_id])] == ["a.txt"]
    assert not any(retriable(row) for row in standing(bed.run))
    assert [record.problem for record in records_of(bed.run, {"a.txt"})] == [""]


def test_a_finished_run_is_counted_from_its_manifest(tmp_path: Path) -> None:
    """Resuming it reads one object, not a commit a unit."""
    bed = Bed(tmp_path, TEXTS)
    outcome = bed.drive()
    for commit in (tmp_path / "out" / layout.HOME / "runs" / bed.run.header.run_id / "commits").iterdir():
        commit.write_bytes(b"")  # listed, but nothing that could be counted
    assert tally_of(bed.run) == outcome.tally
    assert bed.drive().state == "complete"


def test_an_output_goes_to_the_run_that_was_there_first(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    make_first(bed.run)  # again: the same
    units = cut_units(list_records(bed.source), 1, 10**9)
    other = plan_run(bed.output, units, lambda record: record.key, bed.header, "another identity")
    with pytest.raises(RunConflictError, match="another job"):
        make_first(other)
    current = current_run(bed.output)
    assert current is not None
    assert current.header.run_id == bed.run.header.run_id


def test_joined_tables_have_few_row_groups(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{n:03d}.txt": "x" for n in range(40)}, unit_records=1)
    bed.drive()
    for name in ("texts.parquet", layout.table(layout.OUTPUTS)):
        file = pq.ParquetFile(pa.BufferReader(bed.run.folder.read(name)))
        assert (file.metadata.num_rows, file.num_row_groups) == (40, 1)


@dataclass
class Deadly(Load):
    """Ends the process: at a record that says so, or while the unit is being counted."""

    def process(self, item: Item, context: UnitContext) -> None:
        super().process(item, context)
        if item.payload.data == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)


def deadly_count(item: Item) -> dict[str, int]:
    if item.payload.data == b"KILL LATER":
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def deadly() -> Workflow:
    return replace(workflow(), front=Segment("front", (Deadly(),)), count=deadly_count)


@pytest.mark.ray
def test_a_unit_that_ends_every_process_is_left_and_the_others_are_done(tmp_path: Path) -> None:
    """So many tries and no more: Ray Data itself would try for ever."""
    bed = Bed(tmp_path, {f"{n:02d}.txt": "kill later" if n == 3 else "text" for n in range(8)})
    runner = RayRunner(Pools(2), task_retries=2)
    outcome = drive(bed.run, runner, replace(bed.spec, workflow=deadly), "fused", 100, lambda tally, receipt: None)
    assert (outcome.state, outcome.worked) == ("incomplete", 3)
    assert "1 of 4 units" in outcome.message
    guilty = next(ref for ref in bed.run.refs() if ref.index == 1)
    assert len(bed.run.folder.names(layout.attempts_of(guilty.unit_id))) == 3


@pytest.mark.ray
def test_ray_tries_often_enough_to_find_the_record_that_ends_processes(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{n:02d}.txt": "kill" if n == 3 else "text" for n in range(8)})
    spec = replace(bed.spec, workflow=deadly)
    outcome = drive(bed.run, RayRunner(Pools(2)), spec, "fused", 100, lambda tally, receipt: None)
    assert outcome.state == "complete"
    assert quarantined(bed) == {"03.txt": "worker_crashed"}


@pytest.mark.ray
def test_a_private_cluster_leaves_nothing_in_the_temporary_folder() -> None:
    with cluster(None):
        session = Path(ray.get_runtime_context().worker.node.get_session_dir_path())
        assert session.is_dir()
    assert not session.exists()
