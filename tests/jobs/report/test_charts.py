from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pytest

from jobs.report.charts import bar, histogram
from jobs.report.data import Distribution
from jobs.report.measures import MEASURES, Measure
from jobs.report.scores import ScoreAccumulator

SHARPNESS = MEASURES["sharpness"]


def gathered(
    before: list[float] | np.ndarray, after: list[float] | np.ndarray, measure: Measure = SHARPNESS
) -> Distribution:
    accumulator = ScoreAccumulator(measure)
    accumulator.add_many(before, after)
    return accumulator.distribution()


def drawn(distribution: Distribution, measure: Measure = SHARPNESS) -> Element:
    return fromstring(histogram(distribution, measure, "score-0"))


def outline(svg: Element, name: str) -> list[tuple[float, float, float]]:
    """(left, right, height above the axis) of each bin."""
    path = next(element for element in svg.iter("path") if element.get("class") == name).attrib["d"]
    numbers = re.match(r"M([\d.]+) ([\d.]+)", path)
    assert numbers
    left, floor = float(numbers[1]), float(numbers[2])
    bins = []
    for top, right in re.findall(r"V([\d.]+)H([\d.]+)", path):
        bins.append((left, float(right), floor - float(top)))
        left = float(right)
    return bins


def ticks(svg: Element) -> dict[float, float]:
    """Horizontal place to the number written there."""
    return {
        float(element.attrib["x"]): float((element.text or "").replace(",", ""))
        for element in svg.iter("text")
        if element.get("class") == "tick middle"
    }


def test_the_highest_bin_stands_where_the_values_are() -> None:
    svg = drawn(gathered(np.full(900, 0.2), np.full(900, 0.4)))
    places = sorted(ticks(svg).items())
    scale = (places[-1][1] - places[0][1]) / (places[-1][0] - places[0][0])
    for name, value in (("before", 0.2), ("after", 0.4)):
        left, right, _ = max(outline(svg, name), key=lambda bin_: bin_[2])
        low, high = (places[0][1] + (x - places[0][0]) * scale for x in (left, right))
        assert low - 0.002 <= value <= high + 0.002


def test_heights_are_shares_of_each_side() -> None:
    svg = drawn(gathered([0.2] * 30 + [0.4] * 10, [0.2] * 10 + [0.4] * 30))
    before = sorted(height for *_, height in outline(svg, "before") if height)
    after = sorted(height for *_, height in outline(svg, "after") if height)
    assert len(before) == len(after) == 2
    assert before[1] / before[0] == pytest.approx(3, rel=0.01)
    assert after == before


def test_a_log_axis_has_powers_of_ten_at_equal_steps() -> None:
    measure = replace(SHARPNESS, low=1e-5, high=1e3, scale="log")
    values = np.geomspace(1e-4, 1e2, 500)
    svg = drawn(gathered(values, values, measure), measure)
    places = sorted(ticks(svg).items())
    assert len(places) >= 4
    ratios = {round(np.log10(right[1] / left[1]), 6) for left, right in pairwise(places)}
    steps = [right[0] - left[0] for left, right in pairwise(places)]
    assert len(ratios) == 1
    assert max(steps) - min(steps) < 0.3
    assert "logarithmic" in "".join(svg.itertext())


def test_words_tell_what_the_picture_shows() -> None:
    svg = drawn(gathered([0.2] * 5, [0.4] * 5))
    title, description = svg.find("title"), svg.find("desc")
    assert title is not None and description is not None
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
    assert "Before: median 0.2" in (description.text or "")
    assert "After: median 0.4" in (description.text or "")


@pytest.mark.parametrize("values", [[0.0], [1.0], [0.5], [-3.0, 9.0], [0.0, 1.0]])
def test_few_or_extreme_values_are_drawn_inside_the_frame(values: list[float]) -> None:
    svg = drawn(gathered(values, values))
    for left, right, height in outline(svg, "after"):
        assert 0 <= left < right <= 360
        assert 0 <= height <= 160
    assert len(ticks(svg)) >= 2


def test_one_side_without_values_leaves_the_other_drawn() -> None:
    svg = drawn(gathered([np.nan] * 3, [0.1, 0.2, 0.3]))
    assert any(height > 0 for *_, height in outline(svg, "after"))
    assert not any(height > 0 for *_, height in outline(svg, "before"))
    assert "Before: no values." in "".join(svg.itertext())


def test_foreign_labels_are_escaped() -> None:
    measure = replace(SHARPNESS, label="<script>x</script>")
    assert "<script>" not in histogram(gathered([0.1], [0.1]), measure, "score-0")


@pytest.mark.parametrize(("value", "largest", "width"), [(5, 10, 50), (0, 10, 0), (10, 10, 100), (0, 0, 0)])
def test_bar(value: float, largest: float, width: float) -> None:
    rect = fromstring(bar(value, largest)).find("rect")
    assert rect is not None
    assert float(rect.attrib["width"]) == width
