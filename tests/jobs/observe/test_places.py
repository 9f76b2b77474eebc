"""What a foreman knows of where units are."""

from __future__ import annotations

import pytest

import pipeline.runners.foreman as foremen
from pipeline.runners.foreman import LOST_SECONDS, Foreman


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(foremen.time, "monotonic", lambda: now[0])
    return now


def test_a_unit_is_worked_on_then_waits_for_the_next_segment_then_has_ended(clock: list[float]) -> None:
    foreman = Foreman()
    assert (foreman.places().segments, foreman.places().ended) == ({}, 0)
    foreman.beat()
    assert foreman.places().segments == {}
    foreman.beat(0, "a")
    foreman.beat(0, "b")
    assert foreman.places().segments == {0: (0, 2)}
    foreman.passed("a", 1)
    assert foreman.places().segments == {0: (0, 1), 1: (1, 0)}
    foreman.beat(1, "a")
    assert foreman.places().segments == {0: (0, 1), 1: (0, 1)}
    foreman.passed("a", 2)
    foreman.beat(2, "a")
    foreman.passed("a", None)
    places = foreman.places()
    assert (places.segments, places.ended) == ({0: (0, 1)}, 1)


def test_a_unit_whose_worker_says_nothing_any_more_waits_for_another(clock: list[float]) -> None:
    foreman = Foreman()
    foreman.beat(1, "a")
    clock[0] += LOST_SECONDS + 1
    assert foreman.places().segments == {1: (1, 0)}
    foreman.beat(1, "a")
    assert foreman.places().segments == {1: (0, 1)}
    foreman.passed("a", None)
    foreman.passed("a", None)
    assert foreman.places().ended == 1
