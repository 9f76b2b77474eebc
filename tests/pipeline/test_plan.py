"""Units are cut, frozen and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cutting import cut_units, unit_id
from pipeline.plan import PlanReader, PlanSummary, PlanWriter, read_refs, write_plan
from pipeline.records import Record
from pipeline.storage import Folder


def loose(count: int, size: int = 10) -> list[Record]:
    return [Record(f"box/{n:04d}.tif", f"mem/box/{n:04d}.tif", f"v{n}", size) for n in range(count)]


def written(folder: Folder, records: list[Record], unit_records: int = 3) -> PlanSummary:
    def deliver(writer: PlanWriter) -> PlanSummary:
        return writer.finish(folder, "000")

    units = cut_units(records, unit_records, 10**9)
    return write_plan(units, lambda record: record.key.casefold(), deliver)


def test_units_hold_at_most_so_many_records_and_bytes() -> None:
    assert [len(unit.records) for unit in cut_units(loose(7), 3, 10**9)] == [3, 3, 1]
    assert [len(unit.records) for unit in cut_units(loose(7), 100, 25)] == [2, 2, 2, 1]
    assert [len(unit.records) for unit in cut_units(loose(2, size=100), 100, 25)] == [1, 1]


def test_a_unit_never_spans_two_shards() -> None:
    members = [Record(f"{n}.jpg", f"s/{n // 2}.tar", "v", 5, offset=512) for n in range(5)]
    assert [[r.uri for r in unit.records] for unit in cut_units(members, 100, 10**9)] == [
        ["s/0.tar", "s/0.tar"],
        ["s/1.tar", "s/1.tar"],
        ["s/2.tar"],
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"version": "x"},
        {"size": 11},
        {"offset": 3},
        {"row": 3},
        {"uri": "y"},
        {"key": "k"},
        {"metadata": {"title": "x"}},
    ],
)
def test_unit_id_depends_on_where_and_what_the_records_are(change: dict[str, object]) -> None:
    records = loose(2)
    assert unit_id(records) == unit_id(loose(2))
    assert unit_id([records[0], replace(records[1], **change)]) != unit_id(records)
    assert unit_id(records, salt="retry") != unit_id(records)


def test_a_plan_is_read_back_as_it_was_cut(tmp_path: Path) -> None:
    records = [replace(record, metadata={"title": "Ölberg", "year": 1893}) for record in loose(700)]
    folder = Folder(str(tmp_path))
    summary = written(folder, records, unit_records=2)
    refs = list(read_refs(folder, 0, "000"))
    reader = PlanReader(folder)
    back = [record for ref in refs for record in reader.unit(ref).records]
    assert back == records
    assert (summary.units, summary.records, summary.bytes, summary.problems) == (350, 700, 7000, 0)
    assert {ref.part for ref in refs} == {0, 1}  # 256 units a file


def test_equal_output_names_after_the_first_are_problems(tmp_path: Path) -> None:
    records = [replace(record, key=key) for record, key in zip(loose(5), ["a", "b", "A", "c", "a"], strict=True)]
    summary = written(Folder(str(tmp_path)), records, unit_records=2)
    reader = PlanReader(Folder(str(tmp_path)))
    problems = [r.problem for ref in read_refs(Folder(str(tmp_path)), 0, "000") for r in reader.unit(ref).records]
    assert [bool(problem) for problem in problems] == [False, False, True, False, True]
    assert problems[2].startswith("duplicate_name: ")
    assert summary.problems == 2


def test_the_digest_is_that_of_the_unit_ids(tmp_path: Path) -> None:
    one = written(Folder(str(tmp_path / "1")), loose(9))
    assert one == written(Folder(str(tmp_path / "2")), loose(9))
    assert one.digest != written(Folder(str(tmp_path / "3")), loose(9), unit_records=4).digest


def test_some_of_a_units_records_are_read_by_their_keys(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    records = loose(7)
    written(folder, records)
    reader = PlanReader(folder)
    second = list(read_refs(folder, 0, "000"))[1]
    assert reader.keys(second) == [record.key for record in records[3:6]]
    assert reader.some(second, {records[5].key, records[6].key}) == [records[5]]
    assert reader.some(second, set()) == []
