"""Totals, shares and quantiles against what is computed by hand, and against the textbook's tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from jobs.estimate.ranges import Group, Range, added, around, share_of, t_quantile, total_of
from jobs.estimate.strata import SizeClasses
from pipeline.records import Record


def group(records: int, values: list[float], sizes: list[float] | None = None, total: float | None = None) -> Group:
    given = np.array(sizes if sizes is not None else [0.0] * len(values))
    total = 0.0 if total is None and not values else total
    return Group(records, float(given.mean() * records) if total is None else total, given, np.array(values))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 15, 60])
def test_the_quantile_of_student(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.95, freedom), rel=0.003)


def test_a_total_by_hand() -> None:
    total = total_of([group(10, [1.0, 3.0]), group(4, [10.0, 10.0])])
    # 10 x 2 + 4 x 10; the first stratum's variance is 100 x (1 - 2/10) x 2 / 2 = 80 with one degree of freedom.
    assert total.range.point == 60
    assert total.range.high - 60 == pytest.approx(stats.t.ppf(0.95, 1) * math.sqrt(80), rel=1e-6)
    assert total.range.low == pytest.approx(120 - total.range.high)


def test_what_was_tried_whole_is_known() -> None:
    total = total_of([group(2, [1.0, 3.0])])
    assert total.range == Range(4.0, 4.0, 4.0)


def test_bytes_explain_what_the_sample_missed() -> None:
    # Seconds are twice the bytes; the tried records are smaller than the others.
    found = total_of([group(100, [2.0, 4.0, 6.0], [1.0, 2.0, 3.0], total=1000.0)])
    assert found.range.point == pytest.approx(2000)
    assert found.range.high == pytest.approx(2000)
    assert (found.byte, found.each) == (pytest.approx(2.0), pytest.approx(0.0))


def test_a_slope_is_never_negative() -> None:
    found = total_of([group(100, [6.0, 4.0, 2.0], [1.0, 2.0, 3.0], total=1000.0)])
    assert (found.byte, found.range.point) == (0.0, pytest.approx(400))


def test_strata_of_one_take_the_spread_of_the_others() -> None:
    alone = total_of([group(10, [5.0])])
    assert alone.range.high > 1.5 * alone.range.point  # half the mean, one degree of freedom
    beside = total_of([group(10, [5.0]), group(10, [5.0, 5.001, 4.999])])
    assert beside.range.high < 1.01 * beside.range.point


def test_strata_of_none_take_the_mean_of_all() -> None:
    assert total_of([group(10, [2.0, 2.0]), group(5, [])]).range.point == 30


def test_shares() -> None:
    # Wilson's interval for 1 of 16, without its centre.
    found = share_of(1, 16)
    z, n, p = stats.norm.ppf(0.95), 16, 1 / 16
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert found.point == p
    assert (found.low, found.high) == (pytest.approx(centre - half), pytest.approx(centre + half))
    assert share_of(0, 16).low == 0
    assert 0 < share_of(0, 16).high < 0.16
    assert share_of(16, 16).high == 1
    assert share_of(3, 16, 16) == Range(3 / 16, 3 / 16, 3 / 16)
    assert share_of(3, 16, 1e12).high == pytest.approx(share_of(3, 16).high)


def test_sums_and_factors() -> None:
    assert around(1.0, 2.0) == Range(0.0, 1.0, 3.0)
    assert added([around(10, 3), around(20, 4)]) == Range(25, 30, 35)
    assert around(10, 3).times(2).plus(1).plain() == {"low": 15.0, "point": 21.0, "high": 27.0}


def test_ranges_hold_the_truth_as_often_as_they_say() -> None:
    """Skewed archives of which few records are tried, time and again."""
    held = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        sizes = draw.lognormal(12, 0.8, 400).astype(int)
        seconds = 0.05 + sizes * 2e-7 * draw.lognormal(0, 0.3, sizes.size) + 0.05 * draw.poisson(1.3, sizes.size)
        classes = SizeClasses(16)
        for number, size in enumerate(sizes.tolist()):
            classes.add(Record(f"{seed}/{number}", "u", "v", size))
        groups = [
            Group(
                stratum.records,
                float(stratum.bytes),
                np.array([record.size for record in stratum.chosen], np.float64),
                np.array([seconds[int(record.key.partition("/")[2])] for record in stratum.chosen]),
            )
            for stratum in classes.strata()
        ]
        found = total_of(groups).range
        held += found.low <= seconds.sum() <= found.high
    assert 168 <= held <= 196
