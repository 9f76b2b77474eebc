"""Rows of a curve that say that something is wrong."""

from __future__ import annotations

import math

import pytest

from operators.training.health import Health, Limits

LIMITS = Limits(times=5.0, far_rows=3, memory=10, least=4, still=1e-3, still_rows=4)


def fed(health: Health, values: list[float], name: str = "content") -> list[str]:
    return [health.look({name: value}) for value in values]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_any_term_that_is_no_number(value: float) -> None:
    assert "the term style is" in Health("content").look({"content": 1.0, "style": value})


def test_divergence_needs_some_rows_in_a_row() -> None:
    health = Health("content", LIMITS)
    assert not any(fed(health, [1.0, 1.1, 0.9, 1.0, 9.0, 9.0, 1.0, 9.0, 9.0]))
    assert (
        "the term content has diverged: it is 9, and was above 5 times its running median of 1" in fed(health, [9.0])[0]
    )


def test_rows_far_off_do_not_become_the_usual() -> None:
    health = Health("content", Limits(times=5.0, far_rows=30, memory=10, least=4))
    found = fed(health, [1.0] * 5 + [9.0] * 30)
    assert not any(found[:-1]) and found[-1]


def test_a_term_that_falls_and_then_returns_to_where_it_began_has_diverged() -> None:
    health = Health("content", LIMITS)
    fed(health, [10.0, 5.0, 2.0] + [1.0] * 10)
    assert fed(health, [10.0] * 3)[-1]


def test_while_a_term_settles_nothing_is_said() -> None:
    assert not any(fed(Health("content", LIMITS), [0.1, 5.0, 50.0]))


def test_another_phase_has_a_median_of_its_own() -> None:
    health = Health("content", LIMITS)
    rows = [("alone", 1.0)] * 5 + [("game", 9.0)] * 5
    assert not any(health.look({"content": value}, phase) for phase, value in rows)
    resumed = Health("content", LIMITS)
    resumed.resume(health.state())
    for one in (health, resumed):
        assert not any(one.look({"content": 46.0}, "game") for _ in range(2))
        assert "running median of 9" in one.look({"content": 46.0}, "game")


def test_terms_that_are_not_watched_may_grow() -> None:
    health = Health("content", LIMITS)
    assert not any(fed(health, [1.0] * 9 + [1e6] * 9, "adversarial"))
    assert not any(fed(Health("", LIMITS), [1.0] * 9 + [1e6] * 9))


@pytest.mark.parametrize("name", ["discriminator", "discriminator_first", "left_eye_discriminator"])
def test_collapse_is_a_discriminator_that_stays_near_zero(name: str) -> None:
    health = Health("content", LIMITS)
    assert not any(fed(health, [1e-4] * 3 + [0.5] + [1e-4] * 3, name))
    assert f"the game has collapsed: the term {name} is 0.0001" in fed(health, [1e-4], name)[0]


def test_a_critic_below_zero_has_not_collapsed() -> None:
    assert not any(fed(Health("content", LIMITS), [-1e-4] * 9, "discriminator"))


def test_sound_is_what_shows_no_sign() -> None:
    health = Health("content", LIMITS)
    fed(health, [1.0] * 5)
    assert health.sound
    fed(health, [9.0])
    assert not health.sound
    fed(health, [1.0])
    assert health.sound
    fed(health, [1e-4], "discriminator")
    assert not health.sound


def test_it_goes_on_from_its_state() -> None:
    values = [1.0] * 5 + [9.0] * 3
    for cut in range(len(values)):
        first, second = Health("content", LIMITS), Health("content", LIMITS)
        fed(first, values[:cut])
        second.resume(first.state())
        assert not any(fed(second, values[cut:-1]))
        assert fed(second, values[-1:])[0]
