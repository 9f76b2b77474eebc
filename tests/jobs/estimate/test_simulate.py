"""Pools of workers and indivisible units, against schedules made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.estimate import simulate
from jobs.estimate.simulate import Station, makespan


def station(workers: int, *seconds: float) -> Station:
    return Station(workers, np.array(seconds, np.float64))


@pytest.mark.parametrize(
    ("stations", "expected"),
    [
        ([station(1, 1, 2, 3)], 6),
        ([station(2, 3, 1, 1)], 3),
        ([station(2, 1, 1, 3)], 4),  # the long one comes last: its worker is alone at the end
        ([station(9, 1, 2, 3)], 3),
        ([station(1)], 0),
        ([station(1, 1, 1, 1), station(1, 2, 2, 2)], 7),  # the second pool waits for the first unit, then is never idle
        ([station(3, 1, 1, 1), station(1, 2, 2, 2)], 7),
        ([station(3, 1, 1, 1), station(3, 2, 2, 2)], 3),
        ([station(2, 4, 1, 1), station(1, 1, 1, 1)], 5),  # the second and third unit overtake the first
        ([station(2, 4, 1), station(1, 1, 10)], 12),  # each keeps its own seconds as it overtakes
    ],
)
def test_by_hand(stations: list[Station], expected: float) -> None:
    assert makespan(stations) == expected


def test_many_units_are_not_followed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    units = np.full(5000, 2.0)
    exact = makespan([Station(7, units), Station(3, units / 4)])
    monkeypatch.setattr(simulate, "MOST_SIMULATED", 100)
    assert makespan([Station(7, units), Station(3, units / 4)]) == pytest.approx(exact, rel=0.01)
