"""Filters, copies, groups and sides, on surveys that are written by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jobs.pairs.planned import PlannedPair
from jobs.pairs.planning import again, output_name, units_of
from jobs.pairs.sample import Sample
from jobs.pairs.selection import Selection, select
from jobs.pairs.survey.rows import CANDIDATES
from jobs.pairs.survey.table import Survey
from jobs.spec import PairsJob, loads

FACE = Sample("face", 0, 64, 64, affine=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), template="ffhq", confidence=0.9)


def job(**blocks: Any) -> PairsJob:
    data: dict[str, Any] = {
        "job": "pairs",
        "name": "made",
        "source": {"kind": "manifest", "uri": "list.csv"},
        "samples": {"kind": "faces", "size": 64},
        "degrade": {"recipe": "gfpgan"},
        "output": {"uri": "out"},
    }
    data.update(blocks)
    found = loads(json.dumps(data), folder=Path("/nowhere"))
    assert isinstance(found, PairsJob)
    return found


def candidate(key: str, **said: Any) -> dict[str, Any]:
    """A row of a survey; every image is its own unless something else is said."""
    drawn = hashlib.sha256(key.encode()).digest()
    row = {
        "key": key,
        "uri": f"/archive/{key}",
        "version": "1",
        "bytes": 1000,
        "offset": -1,
        "row": -1,
        "metadata": None,
        "sha256": f"{key:0>64}",
        "perceptual_hash": int.from_bytes(drawn[:8], "big"),
        "format": "png",
        "width": 100,
        "height": 100,
        "sample": json.dumps(FACE.to_dict()),
        "left_out": "",
        "confidence": 0.9,
        "sharpness": 0.1,
        "enlargement": 1.0,
    }
    assert set(said) <= set(row)
    return row | said


def survey(rows: list[dict[str, Any]], features: np.ndarray | None = None) -> Survey:
    schema = pa.schema([field for field in CANDIDATES if field.name != "feature"])
    if features is None:
        features = np.full((len(rows), 128), np.nan, np.float32)
    return Survey(pa.Table.from_pylist(rows, schema), features, len({row["key"] for row in rows}), 0)


def people(count: int, of: list[int]) -> np.ndarray:
    """Features of orthogonal people, one a row."""
    eye = np.eye(128, dtype=np.float32)[:count]
    return np.ascontiguousarray(eye[of])


def test_filters_say_why() -> None:
    rows = [
        candidate("a"),
        candidate("b", height=20),
        candidate("c", sharpness=0.01),
        candidate("d", confidence=0.75),
        candidate("e", left_out="too_small"),
        candidate("f", sharpness=None),
    ]
    wanted = job(filter={"min_sharpness": 0.05, "min_confidence": 0.8})
    found = select(wanted, survey(rows))
    assert found.left_out == ["", "small_image", "not_sharp", "unsure", "too_small", "not_sharp"]
    assert found.kept.tolist() == [0]
    assert found.summary(survey(rows))["left_out"] == {"not_sharp": 2, "small_image": 1, "too_small": 1, "unsure": 1}


def test_copies_are_left_out_and_the_best_stays() -> None:
    rows = [
        candidate("a", sha256="x", perceptual_hash=0b0),
        candidate("b", sha256="x", perceptual_hash=0b0),
        candidate("c", width=200, perceptual_hash=0b111),
        candidate("d", perceptual_hash=2**40 - 1),
    ]
    near = select(job(), survey(rows))
    assert near.left_out == ["duplicate_near", "duplicate_exact", "", ""]
    assert near.copy_of == ["c", "a", "", ""]
    exact = select(job(filter={"duplicates": "exact"}), survey(rows))
    assert exact.left_out == ["", "duplicate_exact", "", ""]
    assert select(job(filter={"duplicates": "keep"}), survey(rows)).kept.tolist() == [0, 1, 2, 3]


def test_an_image_whose_samples_are_left_out_stands_for_no_copy() -> None:
    rows = [candidate("a", sha256="x", width=200, sharpness=0.0), candidate("b", sha256="x")]
    assert select(job(filter={"min_sharpness": 0.05}), survey(rows)).left_out == ["not_sharp", ""]


def test_all_samples_of_a_copy_go() -> None:
    second = json.dumps(Sample.from_dict({**FACE.to_dict(), "index": 1}).to_dict())
    rows = [
        candidate("a", sha256="x"),
        candidate("a", sha256="x", sample=second),
        candidate("b", sha256="x"),
        candidate("b", sha256="x", sample=second),
    ]
    assert select(job(), survey(rows)).left_out == ["", "", "duplicate_exact", "duplicate_exact"]


PARTS = {"parts": {"train": 0.5, "val": 0.5}}


def sides(found: Selection) -> dict[int, set[str]]:
    parts: dict[int, set[str]] = {}
    for group, part in zip(found.group.tolist(), found.part, strict=True):
        parts.setdefault(group, set()).add(part)
    return parts


def test_a_person_is_on_one_side() -> None:
    rows = [candidate(f"{number:03d}") for number in range(90)]
    found = select(job(split=PARTS), survey(rows, people(30, [number % 30 for number in range(90)])))
    assert len(set(found.group.tolist())) == 30
    assert all(len(parts) == 1 for parts in sides(found).values())
    assert 30 <= found.part.count("train") <= 60


def test_a_copy_that_is_left_out_still_joins_its_person() -> None:
    one, other = np.zeros((2, 128), np.float32)
    one[0] = other[1] = 1.0
    between = (one + other) / np.float32(np.sqrt(2))
    rows = [candidate("a"), candidate("b", sharpness=0.01), candidate("c")]
    wanted = job(split=PARTS, filter={"min_sharpness": 0.05})
    found = select(wanted, survey(rows, np.stack([one, between, other])))
    assert found.left_out == ["", "not_sharp", ""]
    assert found.group.tolist() == [0, 0]


def test_of_whom_nobody_knows_who_they_are_there_is_no_split() -> None:
    rows = [candidate(f"{number:02d}") for number in range(10)]
    rows[3]["perceptual_hash"] = rows[2]["perceptual_hash"]
    rows[4]["confidence"] = None  # a picture without a face
    features = people(10, list(range(10)))
    features[[3, 4, 5]] = np.nan
    kept = {"filter": {"duplicates": "keep"}}
    found = select(job(split=PARTS, **kept), survey(rows, features))
    # The fourth looks the same as the third, whose face is known.
    assert [row for row, reason in enumerate(found.left_out) if reason == "unknown_person"] == [5]
    assert len(found.kept) == 9
    assert not any(select(job(**kept), survey(rows, features)).left_out)  # one part needs no people


def test_a_blurred_face_beside_somebody_known_is_not_known_by_that() -> None:
    """Else whoever is blurred in a group could be on one side there, and on the other alone and sharp."""
    second = json.dumps(Sample.from_dict({**FACE.to_dict(), "index": 1}).to_dict())
    rows = [candidate("group"), candidate("group", sample=second), candidate("portrait"), candidate("other")]
    features = people(3, [0, 0, 1, 2])
    features[1] = np.nan
    found = select(job(split=PARTS), survey(rows, features))
    assert found.left_out == ["", "unknown_person", "", ""]


def test_faces_of_one_image_stay_together() -> None:
    second = json.dumps(Sample.from_dict({**FACE.to_dict(), "index": 1}).to_dict())
    rows = [row for n in range(20) for row in (candidate(f"{n}"), candidate(f"{n}", sample=second))]
    found = select(job(split=PARTS), survey(rows, people(40, list(range(40)))))
    assert len(set(found.group.tolist())) == 20


def test_a_column_of_the_catalogue_decides() -> None:
    rows = [candidate(f"{n:02d}", metadata=json.dumps({"sitter": n % 4} if n < 12 else {"box": 1})) for n in range(16)]
    found = select(job(split={**PARTS, "by": "column", "column": "sitter"}), survey(rows))
    assert len(set(found.group.tolist())) == 4 + 4
    assert found.group[:4].tolist() == found.group[4:8].tolist()
    assert all(len(parts) == 1 for parts in sides(found).values())


def test_samples_of_which_the_catalogue_says_nothing_are_counted() -> None:
    rows = [candidate(f"{n:03d}", metadata=json.dumps({"sitter": None if n < 3 else n})) for n in range(20)]
    found = select(job(split={**PARTS, "by": "column", "column": "sitter"}), survey(rows))
    assert any("3 of 20 samples have nothing in split.column 'sitter'" in warning for warning in found.warnings)


def test_one_giant_group_is_said() -> None:
    rows = [candidate(f"{number:03d}") for number in range(30)]
    found = select(job(split=PARTS), survey(rows, people(1, [0] * 30)))
    assert any("largest group holds 100%" in warning for warning in found.warnings)
    assert any("no samples for" in warning for warning in found.warnings)


def test_the_order_of_the_survey_does_not_decide() -> None:
    rows = [candidate(f"{number:03d}") for number in range(60)]
    features = people(20, [number % 20 for number in range(60)])
    first = select(job(split=PARTS), survey(rows, features))
    second = select(job(split=PARTS), survey(rows[::-1], np.ascontiguousarray(features[::-1])))
    assert first.part == second.part[::-1]
    assert first.number.tolist() == second.number.tolist()[::-1]


@pytest.mark.parametrize(("pairs", "counts"), [(25, {2, 3}), (5, {0, 1}), (30, {3})])
def test_pairs_are_spread_evenly(pairs: int, counts: set[int]) -> None:
    rows = [candidate(f"{number:03d}") for number in range(10)]
    found = select(job(degrade={"recipe": "gfpgan", "pairs": pairs}), survey(rows))
    assert found.variants.sum() == pairs
    assert set(found.variants.tolist()) == counts


def test_a_part_with_one_side_only_is_said() -> None:
    rows = [candidate(f"{number:03d}") for number in range(4)]
    wanted = job(output={"uri": "out", "format": "unpaired"})
    assert any("one side only" in warning for warning in select(wanted, survey(rows, people(1, [0] * 4))).warnings)
    found = select(wanted, survey(rows, people(2, [0, 0, 1, 1])))
    assert set(found.side) == {"A", "B"}
    assert not found.warnings


def test_sides_that_are_not_paired_share_no_group() -> None:
    rows = [candidate(f"{number:03d}") for number in range(40)]
    wanted = job(
        split={"parts": {"train": 0.7, "test": 0.3}},
        degrade={"recipe": "gfpgan", "variants": 2},
        output={"uri": "out", "format": "unpaired"},
    )
    found = select(wanted, survey(rows, people(20, [number % 20 for number in range(40)])))
    by_group: dict[int, set[str]] = {}
    for group, side in zip(found.group.tolist(), found.side, strict=True):
        by_group.setdefault(group, set()).add(side)
    assert all(len(both) == 1 for both in by_group.values())
    for part in ("train", "test"):
        shown = [side for side, one in zip(found.side, found.part, strict=True) if one == part]
        assert {"A", "B"} == set(shown)
    assert {(side, count) for side, count in zip(found.side, found.variants.tolist(), strict=True)} == {
        ("A", 2),
        ("B", 1),
    }


def test_the_plan_is_balanced_and_names_every_pair_once() -> None:
    rows = [candidate(f"{number:03d}") for number in range(23)]
    made = survey(rows)
    wanted = job(
        split={"parts": {"train": 0.8, "val": 0.2}, "by": "source"}, degrade={"recipe": "gfpgan", "variants": 4}
    )
    found = select(wanted, made)
    units = list(units_of(found, made, 10))
    records = [record for unit in units for record in unit.records]
    pairs = [PlannedPair.of(record) for record in records]
    assert len({pair.name for pair in pairs}) == len(pairs) == 92
    assert [unit.index for unit in units] == list(range(len(units)))
    assert len({output_name(record) for record in records}) == 92
    for part in ("train", "val"):
        sizes = [len(unit.records) for unit in units if PlannedPair.of(unit.records[0]).split == part]
        assert max(sizes) <= 10
        assert max(sizes) - min(sizes) <= 1
    assert {(pair.split, pair.shard.rpartition("-")[0]) for pair in pairs} == {("train", "train"), ("val", "val")}
    assert {pair.shard for pair in pairs if pair.split == "val"} == {f"val-{n:06d}" for n in range(2)}
    for unit in units:
        assert len({record.metadata["shard"] for record in unit.records}) == 1
    assert [unit.unit_id for unit in units_of(found, made, 10)] == [unit.unit_id for unit in units]


def test_samples_of_an_image_follow_each_other() -> None:
    second = json.dumps(Sample.from_dict({**FACE.to_dict(), "index": 1}).to_dict())
    names = [f"{number:02d}" for number in range(20)]
    rows = [row for key in names for row in (candidate(key), candidate(key, sample=second))]
    made = survey(rows)
    found = select(job(), made)
    assert sorted(found.number.tolist()) == list(range(40))
    order = [rows[found.kept[place]]["key"] for place in np.argsort(found.number)]
    images = order[::2]
    assert order[1::2] == images
    assert sorted(images) == names
    assert images != names  # images themselves are shuffled


def test_a_retry_takes_no_shard_of_the_first_round() -> None:
    made = survey([candidate("a")])
    (unit,) = units_of(select(job(), made), made, 10)
    record = again(unit.records[0], 1)
    assert record.metadata["shard"] == "train-r1-000000"
    assert record.key == unit.records[0].key
