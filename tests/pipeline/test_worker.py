"""Units from plan to commit through the local runner, with a workflow that makes text upper case."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.ledger import Ledger
from pipeline.parcel import Parcel
from pipeline.quarantine import records_of, standing
from pipeline.run import RunHeader, current_run, plan_retry
from pipeline.sinks import SinkSpec
from pipeline.tally import tally_of
from pipeline.verify import verify
from pipeline.worker import Worker

from .bed import TEXTS, UPPER, Bed, quarantined


@pytest.mark.parametrize("placement", ["fused", "staged"])
def test_a_run_comes_to_its_end_and_adds_up(tmp_path: Path, placement: str) -> None:
    bed = Bed(tmp_path, TEXTS)
    outcome = bed.drive(placement=placement)
    assert outcome.state == "complete"
    assert bed.outputs() == UPPER
    tally = tally_of(bed.run)
    assert (tally.units_planned, tally.units_committed, tally.records_planned) == (3, 3, 5)
    assert (tally.ok, tally.quarantined, tally.counts["letters"]) == (4, 1, 15)
    assert [(row.key, row.code, row.stage) for row in standing(bed.run)] == [("b/d.txt", "bad_text", "load")]
    manifest = bed.run.manifest()
    assert manifest is not None
    assert (manifest["units"], manifest["records"], manifest["ok"], manifest["quarantined"]) == (3, 5, 4, 1)
    table = pq.read_table(pa.BufferReader(bed.run.folder.read("texts.parquet")))
    assert table["key"].to_pylist() == sorted(UPPER)


def test_a_finished_run_has_nothing_left(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    bed.drive()
    again = bed.drive()
    assert (again.state, again.worked) == ("complete", 0)
    run = current_run(bed.output)
    assert run is not None
    assert run.complete


def test_what_was_interrupted_is_continued_and_nothing_is_done_twice(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    refs = list(bed.run.refs())
    first = Worker(bed.spec)(Parcel(refs[0]))
    assert first.receipt is not None
    assert first.receipt.state == "done"
    outcome = bed.drive()
    assert (outcome.state, outcome.worked) == ("complete", 2)
    assert len(bed.run.folder.names("attempts")) == 3
    repeated = Worker(bed.spec)(Parcel(refs[0]))
    assert repeated.receipt is not None
    assert repeated.receipt.state == "already"


def test_of_two_workers_on_one_unit_one_commits_and_outputs_stay(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    ref = next(bed.run.refs())
    slow, fast = Worker(bed.spec, [0]), Worker(bed.spec)
    parcel = slow(Parcel(ref))
    winner = fast(Parcel(ref))
    for index in (1, 2):
        parcel = Worker(bed.spec, [index])(Parcel.unpack(parcel.pack()))
    assert winner.receipt is not None
    assert parcel.receipt is not None
    assert (winner.receipt.state, parcel.receipt.state) == ("done", "lost")
    assert parcel.receipt.ok == winner.receipt.ok
    commit = Ledger(bed.run.folder).find(ref.unit_id)
    assert commit is not None
    assert commit.attempt == 2
    assert bed.drive().state == "complete"
    assert bed.outputs() == UPPER
    parts = bed.run.folder.names("tables/texts")
    assert len(parts) == 3  # the loser's part is gone


def test_storage_trouble_ends_the_run_and_it_can_be_resumed(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {**TEXTS, "z.txt": "storage"})
    outcome = bed.drive()
    assert outcome.state == "storage"
    assert "bucket is gone" in outcome.message
    assert tally_of(bed.run).units_committed == 2
    (tmp_path / "in" / "z.txt").write_text("mended!")  # same size, other time: the source changed under the plan
    outcome = bed.drive()
    assert outcome.state == "complete"
    assert quarantined(bed)["z.txt"] == "source_changed"


def test_the_budget_stops_the_run_early_and_raising_it_continues(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {f"{n}.txt": "bad" for n in range(9)})
    outcome = bed.drive(max_quarantined=3)
    assert outcome.state == "over_budget"
    assert outcome.tally.units_committed == 2
    assert "bad_text (4)" in outcome.message
    assert bed.drive(max_quarantined=3).worked == 0
    assert bed.drive(max_quarantined=9).state == "complete"


def test_a_retry_takes_records_out_of_quarantine_and_adds_none(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {**TEXTS, "g.txt": "bad too"})
    bed.drive()
    texts = quarantined(bed)
    assert texts == {"b/d.txt": "bad_text", "g.txt": "bad_text"}
    records = [
        replace(record, size=-1, version="") if record.key == "g.txt" else record
        for record in records_of(bed.run, set(texts))
    ]
    (tmp_path / "in" / "g.txt").write_text("good")
    plan_retry(bed.run, cut_units(records, 1, 10**9, salt="retry 1"), lambda record: record.key)
    assert not bed.run.complete
    assert bed.drive().state == "complete"
    tally = tally_of(bed.run)
    assert (tally.records_planned, tally.ok, tally.quarantined) == (6, 5, 1)
    assert quarantined(bed) == {"b/d.txt": "bad_text"}
    assert bed.outputs()["g.txt"] == "GOOD"
    assert bed.run.complete


def test_verify_names_what_is_missing_changed_and_extra(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    bed.drive()
    assert verify(bed.run).clean
    out = tmp_path / "out"
    (out / "a.txt").unlink()
    (out / "e.txt").write_text("THREe")
    (out / "mine.txt").write_text("x")
    findings = verify(bed.run)
    assert (findings.missing, findings.changed, findings.extra) == (["a.txt"], ["e.txt"], ["mine.txt"])
    assert not findings.clean


def test_shards_of_a_lost_attempt_are_removed(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    spec = replace(bed.spec, sink=SinkSpec("webdataset", bed.run.outputs))
    ref = next(bed.run.refs())
    parcel = Worker(spec, [0])(Parcel(ref))
    Worker(spec)(Parcel(ref))
    for index in (1, 2):
        parcel = Worker(spec, [index])(Parcel.unpack(parcel.pack()))
    assert [path.name.rsplit("-", 1)[1] for path in (tmp_path / "out").glob("*.tar")] == ["a2.tar"]


def test_planning_twice_gives_the_same_run(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    before = bed.run.folder.read(layout.HEADER)
    again = Bed(tmp_path, {})
    assert again.run.header.run_id == bed.run.header.run_id
    assert bed.run.folder.read(layout.HEADER) == before


def test_a_defect_outside_the_records_leaves_its_unit_open_and_the_others_done(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)

    part = tmp_path / "out" / layout.HOME / "runs" / bed.run.header.run_id / layout.plan_part("000", 0)
    data = part.read_bytes()
    part.write_bytes(data[:100])
    outcome = bed.drive()
    assert outcome.state == "incomplete"
    part.write_bytes(data)
    assert bed.drive().state == "complete"


def test_the_header_is_plain_json_without_surprises(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    raw = json.loads(bed.run.folder.read(layout.HEADER))
    assert raw["plan"]["records"] == 5
    assert RunHeader.from_bytes(bed.run.folder.read(layout.HEADER)) == bed.run.header
