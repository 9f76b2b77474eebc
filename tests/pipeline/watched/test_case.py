"""Who is guilty of what, from the ends of processes."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from pipeline.watched.case import KILLS, LOST, Case, Cause, Death
from pipeline.watched.host import how
from pipeline.watched.limits import Limits
from pipeline.watched.stints import Stint

SEGFAULT, KILL = -signal.SIGSEGV, -signal.SIGKILL


def at(*keys: str, held_before: int = 0, batch: bool = False) -> dict[str, Stint]:
    return {key: Stint("examine", batch, 0.0, held_before) for key in keys}


def death(cause: Cause = "crash", code: int = SEGFAULT, keys: tuple[str, ...] = ("a",), **more: Any) -> Death:
    return Death(cause, code, more.pop("at", at(*keys)), 1, **more)


def test_a_crash_convicts_at_the_second_time_in_the_careful_pass() -> None:
    case = Case(Limits())
    assert not case.known.careful
    for convicted in (False, False, True):
        assert case.learn(death()) is None
        assert case.known.careful
        assert ("a" in case.known.failures) is convicted
    assert case.known.deaths == 3


def test_those_who_were_beside_it_go_free() -> None:
    case = Case(Limits())
    for _ in range(3):
        case.learn(death(keys=("a", "b")))
    assert not case.known.failures


def test_ends_of_different_causes_are_no_proof_of_each_other() -> None:
    case = Case(Limits())
    case.learn(death())
    case.learn(death())
    case.learn(death("machine_out_of_memory", KILL, held=100, at=at("a", held_before=90)))
    assert not case.known.failures


def test_somebody_who_kills_processes_convicts_a_record_only_in_the_end() -> None:
    case = Case(Limits())
    for _ in range(KILLS):
        case.learn(death(code=KILL))
        assert not case.known.failures
    case.learn(death(code=KILL))
    assert case.known.failures["a"].code == "worker_crashed"


def test_a_record_that_took_all_the_memory_needs_no_second_proof() -> None:
    greedy, innocent = Case(Limits(memory=100)), Case(Limits(memory=100))
    greedy.learn(death("too_much_memory", KILL, held=101, at=at("a", held_before=10)))
    innocent.learn(death("too_much_memory", KILL, held=101, at=at("a", held_before=90)))
    assert greedy.known.failures["a"].code == "out_of_memory"
    assert not innocent.known.failures  # others of its wave held most of it
    innocent.learn(death("too_much_memory", KILL, held=101, at=at("a", held_before=90)))
    assert innocent.known.failures["a"].code == "out_of_memory"  # by itself, in the careful pass


def test_a_slow_record_is_guilty_where_it_was_alone_and_still_there() -> None:
    case = Case(Limits())
    case.learn(death("slow_record", KILL, keys=("a", "b"), guilty="a"))
    case.learn(death("slow_record", KILL, keys=(), guilty="a"))
    assert not case.known.failures
    case.learn(death("slow_record", KILL, guilty="a"))
    assert case.known.failures["a"].code == "timed_out"
    assert "run.record_seconds" in case.known.failures["a"].message
    case.learn(death("slow_record", KILL, at=at("b", batch=True), guilty="b"))
    assert "run.unit_seconds" in case.known.failures["b"].message


def test_a_slow_unit_and_lost_storage_accuse_nobody() -> None:
    case = Case(Limits())
    assert case.learn(Death("slow_unit", KILL, {}, 0)) is None
    assert case.known.careful  # else the same would come again without end
    assert case.learn(death("storage", KILL, guilty="a")) is not None
    assert not case.known.failures
    ending = case.learn(death("storage", KILL, guilty="a"))
    assert ending is not None
    assert ending[0] == "storage"


def test_an_end_before_the_unit_was_begun_says_nothing_of_its_records() -> None:
    case = Case(Limits())
    assert case.learn(Death("crash", KILL, {}, 0)) is None
    assert not case.known.careful
    assert case.learn(Death("crash", KILL, {}, 1)) is None
    assert case.known.careful


def test_ends_outside_of_any_record_give_the_unit_up_in_the_end() -> None:
    case = Case(Limits())
    endings = [case.learn(death(keys=())) for _ in range(LOST)]
    assert endings[:-1] == [None] * (LOST - 1)
    assert endings[-1] is not None
    assert endings[-1][0] == "error"
    assert "SIGSEGV" in endings[-1][1]


@pytest.mark.parametrize(
    ("code", "words"), [(3, "exit code 3"), (-11, "SIGSEGV"), (-64, "SIGRTMAX"), (-200, "signal 200")]
)
def test_how_a_process_ended(code: int, words: str) -> None:
    assert words in how(code)
