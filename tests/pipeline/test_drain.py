"""Told to stop, a run finishes what is under way, begins nothing more, and can be resumed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.driver import Outcome, drive
from pipeline.records import Item
from pipeline.runners.contract import Pools, Runner
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.signals import Interrupted, draining
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.tally import tally_of
from pipeline.watched.limits import Limits

from .bed import Bed, Load, workflow

TEXTS = {f"{number:02d}.txt": f"text {number}" for number in range(24)}


@dataclass
class Slow(Load):
    """Takes its time, so that a signal finds units under way."""

    def process(self, item: Item, context: UnitContext) -> None:
        super().process(item, context)
        time.sleep(0.25)


def slow() -> Workflow:
    return replace(workflow(), front=Segment("front", (Slow(),)))


@pytest.fixture(autouse=True)
def late_signals_are_harmless() -> Iterator[None]:
    """A signal that comes when the run has ended already must not end the tests with it."""
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGTERM, before)


def driven(bed: Bed, runner: Runner, grace: float, after: int, again: bool = False) -> Outcome:
    """Drive; once so many units are done a signal comes, or while the next one is under way, two do."""
    done = 0

    def show(_tally: Any, receipt: Any) -> None:
        nonlocal done
        done += receipt is not None
        if done == after:
            if not again:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            for seconds in (0.2, 0.4):
                threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()

    spec = replace(bed.spec, workflow=slow)
    return drive(bed.run, runner, spec, "fused", 100, show, grace_seconds=grace)


def begun(bed: Bed) -> int:
    return sum(1 for name, _ in bed.run.folder.walk("attempts"))


RUNNERS = [
    pytest.param(LocalRunner(), id="local"),
    pytest.param(LocalRunner(Limits()), id="watched"),
    pytest.param(RayRunner(Pools(2, limits=Limits())), id="ray", marks=pytest.mark.ray),
]


@pytest.mark.parametrize("runner", RUNNERS)
def test_units_under_way_are_finished_and_the_others_released(tmp_path: Path, runner: Runner) -> None:
    bed = Bed(tmp_path, TEXTS)
    outcome = driven(bed, runner, grace=60, after=2)
    assert outcome.state == "interrupted"
    assert "finished first" in outcome.message
    assert 2 <= outcome.worked < 12
    assert (
        outcome.worked == tally_of(bed.run).units_committed == begun(bed)
    )  # whatever was begun was brought to its end
    assert bed.drive().state == "complete"
    assert tally_of(bed.run).ok == 24


@pytest.mark.parametrize("runner", RUNNERS[:2])
def test_a_second_signal_stops_at_once(tmp_path: Path, runner: Runner) -> None:
    bed = Bed(tmp_path, TEXTS, unit_records=12)
    outcome = driven(bed, runner, grace=60, after=1, again=True)
    assert outcome.state == "interrupted"
    assert "were not committed" in outcome.message
    assert tally_of(bed.run).units_committed == 1
    assert bed.drive().state == "complete"


def test_the_end_of_the_grace_period_stops_at_once() -> None:
    with pytest.raises(Interrupted), draining(0.3) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.drain.is_set()
        stop.check()  # not yet
        for _ in range(1000):
            time.sleep(0.01)


def test_the_grace_period_ends_where_only_one_of_the_signals_is_heard() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), draining(0.3):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(500):
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_no_thread_is_started_where_the_signal_finds_the_program() -> None:
    """It may be starting one itself just then, with a lock that starting another one would wait for."""
    with draining(60.0) as stop:
        before = threading.active_count()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.drain.wait(10)
        assert threading.active_count() == before


def test_without_a_grace_period_the_first_signal_stops() -> None:
    with pytest.raises(Interrupted), draining(0.0):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


def test_the_grace_period_ends_with_the_block() -> None:
    with draining(0.2):
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.5)  # the signal at the end of the period would be one too many
