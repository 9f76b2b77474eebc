"""Rates, pauses and bars from when units ended."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.watch.pace import BINS, Course
from jobs.watch.spark import ASCII, BLOCKS, sparkline


def course(spans: list[tuple[float, float]], records: int = 5) -> Course:
    ordered = sorted(spans, key=lambda span: span[1])
    return Course(
        np.array([start for start, _ in ordered]),
        np.array([end for _, end in ordered]),
        np.full(len(ordered), records),
        np.zeros(len(ordered), int),
    )


def test_a_pause_is_no_work(tmp_path: object) -> None:
    first = [(10.0 * n, 10.0 * n + 10.0) for n in range(6)]
    second = [(1000.0 + start, 1000.0 + end) for start, end in first]
    seen = course(first + second)
    assert seen.slow_unit == pytest.approx(10.0)
    assert seen.pause == 50.0
    assert seen.worked == pytest.approx(120.0)
    assert seen.session_start == 1000.0
    ends, records = seen.session()
    assert ends.tolist() == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    assert records.sum() == 30


def test_units_that_overlap_count_once(tmp_path: object) -> None:
    assert course([(0.0, 100.0), (10.0, 20.0), (90.0, 130.0)]).worked == pytest.approx(130.0)


def test_the_rate_of_now_is_of_a_window_with_enough_units(tmp_path: object) -> None:
    seen = course([(10.0 * n, 10.0 * n + 10.0) for n in range(100)])
    now = 1001.0
    assert seen.window(now) == 120.0
    assert seen.rate(now, 120.0) == pytest.approx(5 * 12 / 120.0)
    slow = course([(600.0 * n, 600.0 * n + 600.0) for n in range(20)])
    assert slow.window(12_001.0) == 7200.0
    young = course([(0.0, 5.0), (5.0, 10.0)])
    assert young.window(12.0) == 12.0


def test_bars_hold_every_record_of_the_session(tmp_path: object) -> None:
    seen = course([(n - 1.0, float(n)) for n in range(1, 1001)])
    line = seen.timeline(1000.0)
    assert line is not None
    assert len(line.rates) <= BINS
    assert sum(line.rates) * line.bin_seconds == pytest.approx(5000, rel=0.02)
    assert list(line.rates) == pytest.approx([5.0] * len(line.rates), rel=0.1)
    assert course([(0.0, 1.0)]).timeline(2.0) is None


def test_bars_of_characters(tmp_path: object) -> None:
    assert sparkline([0, 1, 2, 7], 10) == f"{BLOCKS[0]}{BLOCKS[1]}{BLOCKS[2]}{BLOCKS[7]}"
    assert sparkline([1, 2, 4], 2) == f"{BLOCKS[4]}{BLOCKS[7]}"
    assert sparkline([0.0, 0.0], 5) == BLOCKS[0] * 2
    assert set(sparkline([0, 1, 2, 3], 9, unicode=False)) <= set(ASCII)
