"""When a cluster counts as standing still, and where that is said; times are those of a machine in a hurry."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pipeline.runners import standstill
from pipeline.runners.standstill import StalledError, overseen

STALL = 0.4


class Remote:
    """A method of an actor that is told things and answers by `asked`."""

    def __init__(self) -> None:
        self.calls = 0

    def remote(self) -> None:
        self.calls += 1


class Foreman:
    def __init__(self) -> None:
        self.drain, self.idle = Remote(), Remote()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], float | None]], None]:
    """Short intervals; the argument is what the foreman answers when it is asked how long nobody has worked."""
    for name in ("LOOK_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(standstill, name, 0.02)
    monkeypatch.setattr(standstill, "_words", lambda seconds: "nothing moves")

    def answering(answer: Callable[[], float | None]) -> None:
        monkeypatch.setattr(standstill, "asked", lambda reference, otherwise: answer())

    return answering


def units(seconds: float, then: Callable[[], None] = lambda: None) -> Generator[int, None, None]:
    """One unit at once, and the next one so much later."""
    yield 1
    then()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)
    yield 2


def test_a_cluster_where_nobody_works_stands_still(hurry: Any) -> None:
    begun = time.monotonic()
    hurry(lambda: time.monotonic() - begun)
    with pytest.raises(StalledError), overseen(Foreman(), threading.Event(), STALL) as arrivals:
        list(arrivals.of(units(30.0)))


def test_a_foreman_that_once_does_not_answer_is_no_standstill(hurry: Any) -> None:
    begun = time.monotonic()
    silent = lambda: STALL < time.monotonic() - begun < 1.3 * STALL  # noqa: E731
    hurry(lambda: None if silent() else 0.0)
    with overseen(Foreman(), threading.Event(), STALL) as arrivals:
        assert list(arrivals.of(units(3 * STALL))) == [1, 2]


def test_whoever_deals_with_a_unit_is_not_interrupted(hurry: Any) -> None:
    hurry(lambda: 1e6)
    dealt = []
    with pytest.raises(StalledError), overseen(Foreman(), threading.Event(), STALL) as arrivals:
        for unit in arrivals.of(units(30.0)):
            time.sleep(2 * STALL)
            dealt.append(unit)
    assert dealt == [1]


def test_what_a_finaliser_has_swallowed_is_raised_again(hurry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The hook of pytest formats a traceback, and the signal may come again in the middle of that.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    hurry(lambda: 1e6)
    swallowed = []

    class Finalised:
        def __del__(self) -> None:
            try:
                time.sleep(3 * STALL)
            finally:
                swallowed.append(True)

    def finalise() -> None:
        Finalised()
        gc.collect()

    with pytest.raises(StalledError), overseen(Foreman(), threading.Event(), STALL) as arrivals:
        list(arrivals.of(units(30.0, finalise)))
    assert swallowed == [True]


def test_a_foreman_that_was_started_again_hears_of_the_drain_too(hurry: Any) -> None:
    hurry(lambda: 0.0)
    foreman, drain = Foreman(), threading.Event()
    drain.set()
    with overseen(foreman, drain, STALL) as arrivals:
        list(arrivals.of(units(0.3)))
    assert foreman.drain.calls > 1


def test_afterwards_the_signal_does_what_it_did(hurry: Any) -> None:
    hurry(lambda: 1e6)
    came: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: came.append(number))
    try:
        with pytest.raises(StalledError), overseen(Foreman(), threading.Event(), STALL) as arrivals:
            list(arrivals.of(units(30.0)))
        assert not came
        os.kill(os.getpid(), signal.SIGUSR1)
        assert came == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
