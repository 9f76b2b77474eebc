"""The range of the time left, on courses whose end is known."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from jobs.watch.eta import LEAST_UNITS, Eta, estimate


def course(seed: int, units: int = 300, workers: int = 4, slower: float = 0.0) -> tuple[np.ndarray, float]:
    """Ends of units, and a slow unit's time; the last unit takes (1 + slower) times the first."""
    random = np.random.default_rng(seed)
    free = [0.0] * workers
    ends, lasted = [], []
    for unit in range(units):
        took = random.gamma(9.0, 20.0 / 9.0 * (1.0 + slower * unit / units))
        lasted.append(took)
        ends.append(heapq.heappop(free) + took)
        heapq.heappush(free, ends[-1])
    return np.sort(ends), float(np.quantile(lasted, 0.95))


def looks(
    slower: float, units: int = 300, workers: int = 4, at: tuple[int, ...] = (60, 120, 180, 240, 285)
) -> list[tuple[float, Eta]]:
    """The truth and the estimate, at many moments of many courses."""
    made = []
    for seed in range(12):
        ends, slow_unit = course(seed, units, workers, slower)
        for done in at:
            records = np.full(done, 4)
            eta = estimate(ends[:done], records, (len(ends) - done) * 4, silent=1.0, slow_unit=slow_unit)
            made.append((float(ends[-1] - ends[done - 1] - 1.0), eta))
    return made


def inside(seen: list[tuple[float, Eta]]) -> float:
    held = [eta.low <= truth <= eta.high for truth, eta in seen if eta.low is not None and eta.high is not None]
    assert len(held) == len(seen)
    return float(np.mean(held))


def test_a_steady_run_ends_within_the_range(tmp_path: object) -> None:
    seen = looks(slower=0.0)
    assert inside(seen) >= 0.9
    off = [abs(eta.seconds / truth - 1.0) for truth, eta in seen if eta.seconds is not None]
    assert np.median(off) < 0.1
    width = [(eta.high - eta.low) / truth for truth, eta in seen if eta.high is not None and eta.low is not None]
    assert np.median(width) < 1.0  # a range that says nothing would hold everything


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_a_run_that_slows_down_ends_within_the_range(slower: float) -> None:
    seen = looks(slower)
    assert inside(seen) >= 0.85
    # The mean rate so far, which is what a plain estimate goes by, would be short of the truth by much more.
    truth, eta = seen[1]
    ends, _ = course(0, slower=slower)
    plain = float(ends[119]) / 120 * 180
    assert eta.seconds is not None
    assert abs(eta.seconds - truth) < 0.7 * abs(plain - truth)


def test_a_trend_that_is_certain_is_followed_to_the_end(tmp_path: object) -> None:
    assert inside(looks(2.0, units=2000, workers=16, at=(500, 700, 900))) >= 0.8


def test_the_last_units_leave_workers_without_work(tmp_path: object) -> None:
    assert inside(looks(0.0, units=200, workers=32, at=(175, 185, 190))) >= 0.9


def test_at_the_beginning_nothing_is_said(tmp_path: object) -> None:
    ends, _ = course(1)
    few = LEAST_UNITS - 1
    assert estimate(ends[:few], np.full(few, 4), 1000) == Eta("too_early")
    assert estimate(ends[:0], np.zeros(0, int), 1000) == Eta("too_early")
    assert estimate(ends[:40], np.full(40, 4), 10**6) == Eta("too_early")
    assert estimate(ends[:40] / 1000.0, np.full(40, 4), 40) == Eta("too_early")
    assert estimate(ends[:40], np.full(40, 4), 0).state == "done"


def test_the_same_course_gives_the_same_answer_and_a_late_unit_no_negative_time(tmp_path: object) -> None:
    ends, _ = course(2)
    first, second = (estimate(ends[:100], np.full(100, 4), 400, silent=0.0) for _ in range(2))
    assert first == second
    late = estimate(ends[:290], np.full(290, 4), 40, silent=10_000.0)
    assert late.low is not None
    assert 0.0 < late.low <= (late.seconds or 0.0)
