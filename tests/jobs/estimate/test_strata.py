"""The sample: the same whatever the order of the listing, and spread over sizes."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from jobs.estimate.strata import SizeClasses, Stratum, allotted
from pipeline.records import Record


def strata_of(sizes: Iterable[int], most: int, seed: int = 0) -> list[Stratum]:
    records = [Record(f"box/{number:05d}.tif", "u", "v", size) for number, size in enumerate(sizes)]
    random.Random(seed).shuffle(records)
    classes = SizeClasses(most)
    for record in records:
        classes.add(record)
    return classes.strata()


SIZES = [random.Random(7).randint(1, 10) ** 6 for _ in range(3000)]


def test_the_order_of_the_listing_means_nothing() -> None:
    assert strata_of(SIZES, 16, seed=1) == strata_of(SIZES, 16, seed=2)


def test_every_record_is_in_one_stratum() -> None:
    found = strata_of(SIZES, 16)
    assert sum(stratum.records for stratum in found) == len(SIZES)
    assert sum(stratum.bytes for stratum in found) == sum(SIZES)
    assert sum(len(stratum.chosen) for stratum in found) == 16
    for stratum in found:
        assert all(stratum.least <= record.size <= stratum.most for record in stratum.chosen)
        assert len({record.key for record in stratum.chosen}) == len(stratum.chosen) >= 2
    assert [stratum.least for stratum in found] == sorted(stratum.least for stratum in found)


def test_few_large_files_are_tried_too() -> None:
    found = strata_of([10_000] * 990 + [50_000_000] * 10, 8)
    assert [(stratum.records, len(stratum.chosen)) for stratum in found] == [(990, 4), (10, 4)]


def test_a_larger_sample_holds_the_smaller_one() -> None:
    small, large = ({r.key for stratum in strata_of([1000] * 500, n) for r in stratum.chosen} for n in (4, 12))
    assert small < large


def test_unknown_sizes_are_a_stratum() -> None:
    (found,) = strata_of([-1] * 20, 6)
    assert (found.records, found.bytes, found.least, found.most) == (20, 0, -1, -1)


def test_nothing_asked_nothing_chosen() -> None:
    assert all(not stratum.chosen for stratum in strata_of(SIZES, 0))
    assert SizeClasses(4).strata() == []


@pytest.mark.parametrize(
    ("count", "records", "weights", "expected"),
    [
        (8, [100, 100], [0.5, 0.5], [4, 4]),
        (10, [100, 100], [0.8, 0.2], [8, 2]),
        (10, [1, 100], [0.5, 0.5], [1, 9]),
        (10, [2, 3], [0.5, 0.5], [2, 3]),
        (1, [5, 5], [0.4, 0.6], [0, 1]),
    ],
)
def test_the_sample_is_divided(count: int, records: list[int], weights: list[float], expected: list[int]) -> None:
    assert allotted(count, records, weights) == expected
