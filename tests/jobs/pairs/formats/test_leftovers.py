"""What attempts left of pairs that ended in quarantine is known by their records; nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.commands.gc import NoClaim, claim_of
from jobs.pairs.leftovers import PairLeftovers
from jobs.pairs.making import png
from pipeline.gc import Garbage, collect_garbage
from pipeline.run import Run
from pipeline.storage import Folder
from pipeline.verify import verify

from .bed import SCALE, Bed, built, keys_of, pixels_of

MIRRORED = ("aligned", "folders", "unpaired")


def gc(run: Run) -> Garbage:
    return collect_garbage(run, lambda one: claim_of(one.header), 0.0)


def counts(garbage: Garbage) -> dict[str, int]:
    return {kind: pile.objects for kind, pile in garbage.piles.items() if pile.objects}


def with_remains(root: Path, name: str) -> tuple[Bed, dict[str, bytes]]:
    """A run one of whose pairs is in quarantine, in whose place an attempt had put files; and those files."""
    key = keys_of("train", 11)[4]
    whole = built(root / "whole", name, scale=SCALE.get(name, 2)).objects()
    bed = built(root / "bed", name, scale=SCALE.get(name, 2), stuck=frozenset({key}))
    left = {path: data for path, data in whole.items() if key in path}
    for path, data in left.items():
        bed.folder.write(path, data)
    return bed, left


@pytest.mark.parametrize("name", MIRRORED)
def test_what_an_attempt_left_goes(tmp_path: Path, name: str) -> None:
    bed, left = with_remains(tmp_path, name)
    assert len(left) == {"folders": 4}.get(name, 2)
    before = bed.objects()
    assert sorted(verify(bed.run).extra) == sorted(left)
    assert counts(gc(bed.run)) == {"outputs": len(left)}
    assert bed.objects() == {path: data for path, data in before.items() if path not in left}
    assert verify(bed.run).clean


@pytest.mark.parametrize("name", MIRRORED)
def test_what_somebody_put_there_stays(tmp_path: Path, name: str) -> None:
    bed, left = with_remains(tmp_path, name)
    pictures = [path for path in left if path.endswith(".png")]
    for path in pictures:
        bed.folder.write(path, png(pixels_of("another", 1)[1]))
    assert counts(gc(bed.run)) == {"outputs": 1}  # the record alone
    for path in pictures:
        assert bed.folder.exists(path)
        bed.folder.write(path, left[path])
    assert counts(gc(bed.run)) == {}  # without their record nothing says whose they are


@pytest.mark.parametrize("name", MIRRORED)
def test_what_another_recipe_or_seed_made_stays(tmp_path: Path, name: str) -> None:
    bed, left = with_remains(tmp_path, name)
    claim = PairLeftovers.of(bed.run.header)
    for other in (replace(claim, seed=8), replace(claim, recipe_sha256="0" * 64)):
        assert not any(other.own(bed.folder, path) for path in left)
        assert all(claim.own(bed.folder, path) for path in left)
        garbage = collect_garbage(bed.run, lambda run, other=other: other, 0.0)  # type: ignore[misc]
        assert counts(garbage) == {}


def test_a_record_of_another_pair_or_of_none_claims_nothing(tmp_path: Path) -> None:
    bed, left = with_remains(tmp_path, "folders")
    claim = PairLeftovers.of(bed.run.header)
    (path,) = (path for path in left if path.endswith(".json"))
    key = path.split("/")[-1].removesuffix(".json")
    for text in (left[path].replace(key.encode(), b"9999999-000"), b"{}", b"[1]", b"no JSON", b"\xff"):
        bed.folder.write(path, text)
        assert not any(claim.own(bed.folder, name) for name in left)
    assert not claim.own(bed.folder, "notes.txt")
    assert not claim.own(bed.folder, f"train/other/{key}.png")


@pytest.mark.parametrize("name", ["webdataset", "parquet", "lmdb"])
def test_shards_are_the_same_for_all_attempts_and_none_is_claimed(tmp_path: Path, name: str) -> None:
    bed = built(tmp_path, name)
    before = bed.objects()
    assert PairLeftovers.of(bed.run.header).names(keys_of("train", 11)[0]) == ()
    assert counts(gc(bed.run)) == {}
    assert bed.objects() == before


@pytest.fixture
def survey(tmp_path: Path) -> Iterator[Run]:
    bed = Bed(tmp_path, "folders")
    yield replace(bed.run, header=replace(bed.run.header, kind="survey", identity={}))


def test_kinds_without_mirrored_outputs_claim_nothing(survey: Run) -> None:
    claim = claim_of(survey.header)
    assert isinstance(claim, NoClaim)
    assert claim.names("0000000-000") == ()
    assert not claim.own(Folder("memory://nowhere"), "records/train/0000000-000.json")
