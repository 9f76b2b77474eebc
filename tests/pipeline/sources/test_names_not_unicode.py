"""Names that are no valid Unicode: one quarantine row each, and a plan that can be written."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.cutting import cut_units
from pipeline.plan import PlanSummary, write_plan
from pipeline.records import Record
from pipeline.sources import Ignored, SourceSpec, list_records
from pipeline.storage import Folder

BAD = b"scan\xff.jpg"


def planned(spec: SourceSpec, folder: Path) -> tuple[PlanSummary, list[Record], Ignored]:
    ignored = Ignored()
    records = list(list_records(spec, ignored))
    target = Folder(str(folder / "plan"))
    units = cut_units(records, 8, 10**9)
    summary = write_plan(units, lambda record: record.key, lambda plan: plan.finish(target, "000"))
    return summary, records, ignored


def test_a_file_name_of_other_bytes_costs_one_record(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in (BAD, b"good.jpg", b".hidden\xff.jpg"):
        (Path(os.fsdecode(os.fsencode(source) + b"/" + name))).write_bytes(b"x")
    summary, records, ignored = planned(SourceSpec("files", str(source)), tmp_path)
    assert (summary.records, summary.problems) == (2, 1)
    assert {record.key: record.problem.partition(":")[0] for record in records} == {
        "good.jpg": "",
        "scan\\udcff.jpg": "bad_key",
    }
    assert ignored.examples["hidden"].encode() == b".hidden\\udcff.jpg"
    written = pq.read_table(tmp_path / "plan/plan/000/records-00000.parquet")["key"].to_pylist()
    assert sorted(written) == ["good.jpg", "scan\\udcff.jpg"]


def test_a_shard_of_such_a_name_is_named_and_not_the_end(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    (Path(os.fsdecode(os.fsencode(source) + b"/shard\xff.tar"))).write_bytes(buffer.getvalue())
    summary, records, _ = planned(SourceSpec("webdataset", str(source)), tmp_path)
    assert (summary.records, summary.problems) == (1, 1)
    assert records[0].problem.startswith("bad_uri: ")


def test_escapes_in_a_catalogue_cannot_break_the_plan(tmp_path: Path) -> None:
    rows = [{"uri": "a\ud800.jpg"}, {"uri": "b.jpg", "who": "x\udfff", "wh\ud800at": 1}]
    path = tmp_path / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary, records, _ = planned(SourceSpec("manifest", str(path)), tmp_path)
    assert (summary.records, summary.problems) == (2, 1)
    assert records[0].problem.startswith("bad_key: ")
    assert json.dumps(records[1].metadata, ensure_ascii=False).encode() == rb'{"who": "x\\udfff", "wh\\ud800at": 1}'
