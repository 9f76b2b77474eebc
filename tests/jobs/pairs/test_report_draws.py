"""What the report says of draws: expected shares, bins, and records gathered in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jobs.pairs.report import counted
from jobs.pairs.report.bins import histogram
from jobs.pairs.report.data import Draws
from jobs.pairs.report.draws import DrawGatherer
from jobs.pairs.report.outline import outline
from operators.degradations.drawing import draw
from operators.degradations.reading import parse
from operators.degradations.recipe import Recipe
from operators.degradations.shipped import names, shipped

EVERYTHING = """
recipe: everything
source: a test
steps:
  - repeat: {choice: [0, {integer: [1, 3]}], weights: [1, 2]}
    probability: 0.8
    steps:
      - {use: dust, probability: 0.5, parameters: {specks: {integer: [5, 60]}}}
      - one_of:
          - {weight: 3, steps: [{use: blur, parameters: {kernel: iso, sigma: {log_uniform: [0.3, 5]}, size: 7}}]}
          - {weight: 1, steps: []}
  - uneven: {uniform: [0.25, 0.5]}
    probability: 0.4
    steps:
      - {use: haze, probability: 0.3, parameters: {alpha: {choice: [0.7, {uniform: [0.8, 0.9]}]}}}
  - id: together
    probability: 0.6
    steps:
      - shuffle:
          - {use: grey, probability: 0.5}
          - {use: jpeg, parameters: {quality: {integer: [31, 95], step: 2}}}
"""


def gathered(recipe: Recipe, pairs: int, plan: bool = True, **options: Any) -> Draws:
    texts = [
        json.dumps({"steps": [step.to_record() for step in draw(recipe, 7, f"{number}.png#0", 0)]})
        for number in range(pairs)
    ]
    gatherer = DrawGatherer(pairs, outline(recipe) if plan else (), **options)
    for start in range(0, pairs, 97):
        part = texts[start : start + 97]
        gatherer.add(pa.table({"side": ["both"] * len(part), "record": part}))
    return gatherer.draws()


def agree(draws: Draws) -> None:
    """Shares and histograms lie within five standard deviations of what the recipe gives."""
    for step in draws.steps:
        assert step.expected is not None
        slack = 5 * np.sqrt(step.expected * (1 - step.expected) / draws.parsed) + 1e-9
        assert abs(step.pairs / draws.parsed - step.expected) <= slack, step.id
        for name, numbers in step.numbers.items():
            expected, counts = np.array(numbers.expected), np.array(numbers.counts)
            assert expected.sum() == pytest.approx(1.0)
            assert counts.sum() == numbers.total == step.times
            deviation = np.sqrt(expected * (1 - expected) * numbers.total) + 1.0
            assert (np.abs(counts - expected * numbers.total) <= 5 * deviation).all(), (step.id, name)
            if numbers.logarithmic:
                assert np.allclose(np.diff(np.log(numbers.edges)), np.diff(np.log(numbers.edges))[0])


@pytest.mark.parametrize("name", names())
def test_shares_and_histograms_are_what_the_shipped_recipes_give(name: str) -> None:
    agree(gathered(shipped(name), 300))


def test_shares_in_groups_repeats_choices_and_uneven_ones() -> None:
    draws = gathered(parse(EVERYTHING), 2000)
    agree(draws)
    expected = {step.id: step.expected for step in draws.steps}
    # Repeated 0 times in a third of the cases, else 1, 2 or 3 times alike.
    assert expected["dust"] == pytest.approx(0.8 * (2 / 9) * (0.5 + 0.75 + 0.875))
    assert expected["blur"] == pytest.approx(0.8 * (2 / 9) * (0.75 + 0.9375 + 0.984375))
    assert expected["haze"] == pytest.approx(0.6 * 0.3 + 0.4 * (1 - 0.7**2))
    assert expected["uneven:haze"] == 0.4
    assert expected["grey"] == pytest.approx(0.3)
    assert expected["jpeg"] == pytest.approx(0.6)
    dust = draws.steps[0]
    assert dust.times > dust.pairs
    assert draws.steps[1].constants["kernel"] == "iso"
    assert draws.steps[1].numbers["sigma"].logarithmic


def test_without_the_recipe_what_was_drawn_is_shown_all_the_same() -> None:
    known, unknown = gathered(shipped("gfpgan"), 300), gathered(shipped("gfpgan"), 300, plan=False)
    pairs = {step.id: step.pairs for step in known.steps if step.pairs}
    assert {step.id: step.pairs for step in unknown.steps} == pairs
    assert all(step.expected is None for step in unknown.steps)
    blur = next(step for step in unknown.steps if step.id == "blur")
    assert blur.constants["size"] == "41.0" or blur.constants["size"] == "41"
    assert not blur.numbers["sigma"].expected and sum(blur.numbers["sigma"].counts) == 300


def test_no_more_records_are_parsed_than_are_allowed_and_they_lie_evenly() -> None:
    def text(number: int) -> str:
        step = {"id": "blur", "use": "blur", "both": False, "parameters": {"sigma": float(number)}}
        return json.dumps({"steps": [step]})

    gatherer = DrawGatherer(10_000, (), most=100)
    for start in range(0, 10_000, 333):
        numbers = range(start, min(start + 333, 10_000))
        gatherer.add(pa.table({"side": ["both"] * len(numbers), "record": list(map(text, numbers))}))
    draws = gatherer.draws()
    assert (draws.parsed, draws.degraded) == (100, 10_000)
    assert np.allclose(draws.steps[0].numbers["sigma"].quantiles, [495, 4950, 9405])
    assert draws.steps[0].numbers["sigma"].total == 100


def test_targets_alone_do_not_count_as_pairs_in_which_nothing_was_done() -> None:
    step = {"id": "grey", "use": "grey", "both": False, "parameters": {}}
    gatherer = DrawGatherer(4, ())
    texts = [json.dumps({"steps": steps}) for steps in ([step], [], [step], [])]
    gatherer.add(pa.table({"side": ["A", "B", "A", "B"], "record": texts}))
    draws = gatherer.draws()
    assert (draws.parsed, draws.degraded, draws.steps[0].pairs) == (2, 2, 2)


def test_different_strings_are_counted_once_over_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "LEAST_SORTED", 50)
    distinct = counted.Distinct()
    for start in range(0, 900, 30):
        distinct.add(pa.chunked_array([[f"{number // 3}.png" for number in range(start, start + 60)]]))
    assert len(distinct) == 310
    distinct.add(pa.chunked_array([["0.png", "new.png", None]]))
    assert len(distinct) == 311


def values_of(text: str) -> Any:
    recipe = parse(f"recipe: a\nsource: b\nsteps: [{{use: jpeg, parameters: {{quality: {text}}}}}]")
    return recipe.steps[0].parameters["quality"]


@pytest.mark.parametrize(
    ("drawn", "value", "wanted"),
    [
        ([3, 4, 4, 5], "{integer: [3, 6]}", {"edges": (2.5, 3.5, 4.5, 5.5, 6.5), "expected": (0.25,) * 4}),
        ([3, 5, 5, 9], "{integer: [3, 9], step: 2}", {"edges": (2, 4, 6, 8, 10), "counts": (1, 2, 0, 1)}),
        ([1.0, 2.0, 99.0], "{uniform: [1, 99]}", {"logarithmic": False}),
        ([1.0, 2.0, 99.0], "{log_uniform: [1, 99]}", {"logarithmic": True}),
        ([1.0, 2.0, 99.5], None, {"logarithmic": True}),
        ([0.0, 2.0, 99.5], None, {"logarithmic": False}),
        ([7.5, 7.5, 7.5], None, {"logarithmic": False}),
        ([1, 2, 2, 3], None, {"edges": (0.5, 1.5, 2.5, 3.5)}),
    ],
)
def test_bins(drawn: list[float], value: str | None, wanted: Mapping[str, Any]) -> None:
    made = histogram(np.array(drawn, dtype=np.float64), values_of(value) if value else None)
    assert sum(made.counts) == len(drawn)
    assert made.edges[0] <= min(drawn) and made.edges[-1] >= max(drawn)
    for name, expected in wanted.items():
        found = getattr(made, name)
        assert found == pytest.approx(expected) if isinstance(expected, tuple) else found == expected


def test_whole_numbers_of_a_wide_range_share_bins_of_equal_width() -> None:
    drawn = np.random.default_rng(1).integers(1, 1001, 5000).astype(np.float64)
    made = histogram(drawn, values_of("{integer: [1, 100]}"))
    widths = np.diff(made.edges)
    assert len(made.counts) <= 33
    assert np.all(widths == widths[0]) and widths[0] == int(widths[0])
    assert sum(made.counts) == 5000
