from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from jobs.report.measures import BINS, MEASURES
from jobs.report.scores import QUANTILES, ScoreAccumulator, bin_edges
from operators.scoring.scores import CropScores

SHARPNESS = MEASURES["sharpness"]


def test_every_measure_of_a_face_has_a_description() -> None:
    assert set(MEASURES) == {field.name for field in fields(CropScores)} | {"identity"}


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_quantiles_are_exact_to_a_bin(scale: str) -> None:
    measure = replace(SHARPNESS, low=1e-4, high=1e2, scale=scale)
    values = np.random.default_rng(1).lognormal(0.0, 1.0, 20_000)
    accumulator = ScoreAccumulator(measure)
    accumulator.add_many(values, values)
    series = accumulator.distribution().after
    edges = bin_edges(measure)
    for level in QUANTILES:
        wanted = float(np.quantile(values, level))
        place = int(np.searchsorted(edges, wanted))
        width = edges[place] - edges[place - 1]
        assert abs(series.quantiles[level] - wanted) <= 2 * width
    assert series.mean == pytest.approx(values.mean())
    assert (series.minimum, series.maximum) == (values.min(), values.max())


def test_counts_equal_numpys_histogram() -> None:
    values = np.append(np.random.default_rng(2).random(5000), [0.0, 1.0])
    accumulator = ScoreAccumulator(SHARPNESS)
    accumulator.add_many(values, values)
    assert accumulator.distribution().after.counts == tuple(np.histogram(values, bins=bin_edges(SHARPNESS))[0])


def test_one_by_one_or_all_at_once_in_any_order_is_the_same() -> None:
    random = np.random.default_rng(3)
    before, after = random.random(300), random.random(300)
    together, single = ScoreAccumulator(SHARPNESS), ScoreAccumulator(SHARPNESS)
    together.add_many(before, after)
    for index in random.permutation(300):
        single.add(float(before[index]), float(after[index]))
    one, other = together.distribution(), single.distribution()
    assert (one.after.counts, one.improved, one.worsened) == (other.after.counts, other.improved, other.worsened)
    assert one.after.quantiles == other.after.quantiles


def test_missing_and_outlying_values_are_counted_as_such() -> None:
    accumulator = ScoreAccumulator(SHARPNESS)
    accumulator.add(None, 0.5)
    accumulator.add(float("nan"), float("inf"))
    accumulator.add(-1.0, 7.0)
    distribution = accumulator.distribution()
    assert distribution.before is not None
    assert (distribution.before.missing, distribution.before.outside, distribution.before.total) == (2, 1, 1)
    assert (distribution.after.missing, distribution.after.outside, distribution.after.total) == (1, 1, 2)
    assert (distribution.after.counts[-1], distribution.before.counts[0]) == (1, 1)
    assert distribution.after.maximum == 7.0


@pytest.mark.parametrize(("name", "improved", "worsened"), [("sharpness", 2, 1), ("noise", 1, 2), ("brightness", 0, 0)])
def test_better_and_worse_follow_the_measures_direction(name: str, improved: int, worsened: int) -> None:
    accumulator = ScoreAccumulator(MEASURES[name])
    accumulator.add_many([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.2, 0.4])
    distribution = accumulator.distribution()
    assert (distribution.improved, distribution.worsened) == (improved, worsened)


def test_identity_has_one_side() -> None:
    accumulator = ScoreAccumulator(MEASURES["identity"])
    accumulator.add(None, 0.9)
    distribution = accumulator.distribution()
    assert distribution.before is None
    assert distribution.after.total == 1


def test_size_does_not_grow_with_the_values() -> None:
    accumulator = ScoreAccumulator(SHARPNESS)
    accumulator.add_many(np.random.default_rng(4).random(100_000), np.zeros(100_000))
    assert len(accumulator.distribution().after.counts) == BINS


def test_nothing_gathered() -> None:
    series = ScoreAccumulator(SHARPNESS).distribution().after
    assert (series.total, series.mean, series.quantiles) == (0, None, {})


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values before and 1 after"):
        ScoreAccumulator(SHARPNESS).add_many([1, 2], [1])
