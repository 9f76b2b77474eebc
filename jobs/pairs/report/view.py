"""The parts of the page that need more than printing a value."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from PIL import Image

from jobs.pairs.report.data import Draws, StepDraws, View
from jobs.pairs.report.plots import plot, spread
from jobs.report import charts, limits
from jobs.report.data import Sample
from jobs.report.text import clip, count, percent, words
from jobs.report.view import BarRow, Picture, bar_rows, pictures

LEFT_OUT = {
    "too_small": "face or image smaller than the target",
    "not_covered": "too much of the square beyond the image's border",
    "small_image": "image's side below filter.min_side",
    "not_sharp": "sharpness below filter.min_sharpness",
    "unsure": "confidence below filter.min_confidence",
    "duplicate_exact": "same bytes as another image",
    "duplicate_near": "looks like another image",
    "unknown_person": "face too unclear to tell whose it is",
}
"""Why samples are left out, in words; reasons that are not here are shown as they are."""


@dataclass(frozen=True, slots=True)
class NumbersView:
    """A parameter's chart and its numbers in words."""

    name: str
    chart: Markup
    said: str


@dataclass(frozen=True, slots=True)
class WordsView:
    """A parameter's table of words."""

    name: str
    rows: list[BarRow]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the recipe.

    Attributes:
        step: what was drawn.
        share: of pairs in which it was done, as text.
        expected: after the recipe, as text; empty where that is not known.
        bar: the share as an `svg` element.
        times: how often it was done where it was; empty where that is once.
        numbers: parameters with a chart.
        words: parameters with a table.
        constants: parameter and value.
    """

    step: StepDraws
    share: str
    expected: str
    bar: Markup
    times: str
    numbers: list[NumbersView]
    words: list[WordsView]
    constants: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair in the page: two pictures to compare, or one side alone."""

    picture: Picture
    sides: str


def step_views(draws: Draws) -> list[StepView]:
    """Prepare every step that was drawn, or that the recipe has."""
    return [_step(step, index, draws.parsed) for index, step in enumerate(draws.steps)]


def _step(step: StepDraws, index: int, pairs: int) -> StepView:
    share = step.pairs / pairs if pairs else 0.0
    often = step.times / step.pairs if step.pairs else 1.0
    return StepView(
        step=step,
        share=percent(step.pairs, pairs),
        expected="" if step.expected is None else percent(step.expected, 1.0) if step.expected else "0 %",
        bar=charts.bar(share, 1.0),
        times=f"{often:.2f} times a pair that has it" if step.times > step.pairs else "",
        numbers=[
            NumbersView(name, plot(step.id, name, numbers, f"draw-{index}-{place}"), spread(numbers))
            for place, (name, numbers) in enumerate(step.numbers.items())
        ],
        words=[WordsView(name, bar_rows(counts, count)) for name, counts in step.words.items()],
        constants=list(step.constants.items()),
    )


def funnel(selection: Mapping[str, Any]) -> list[BarRow]:
    """What became of the candidates, from many to few; images without a face stand before them and have no share."""
    candidates, kept = int(selection.get("candidates", 0)), int(selection.get("kept", 0))
    left_out = {reason: int(number) for reason, number in selection.get("left_out", {}).items()}
    faceless = left_out.pop("no_face", 0)
    largest = max(candidates, faceless, 1)
    rows = [("candidates", candidates)]
    rows += [(f"left out: {LEFT_OUT.get(reason, words(reason))}", number) for reason, number in left_out.items()]
    rows.append(("kept", kept))
    shown = [
        BarRow(clip(label, limits.WORD_CHARS), count(number), percent(number, candidates), charts.bar(number, largest))
        for label, number in rows[: limits.CODES]
    ]
    if not faceless:
        return shown
    return [BarRow("images without a face", count(faceless), "", charts.bar(faceless, largest)), *shown]


def pair_views(views: Sequence[View]) -> tuple[list[PairView], int]:
    """Choose the pairs that fit and turn them into pictures of the page.

    Returns:
        The pairs, and how many were left out to keep the file small.

    Raises:
        ValueError: when a picture is no JPEG.
    """
    shown = [view for view in views if view.degraded or view.target]
    samples, sides = [], []
    for view in shown:
        first, second = view.degraded or view.target, view.target or view.degraded
        assert first is not None and second is not None
        width, height = _size(second)
        samples.append(
            Sample("face", view.key, view.key, first, second, width, height, {"split": view.split, **view.facts})
        )
        sides.append("both" if view.degraded and view.target else "degraded" if view.degraded else "target")
    chosen, left_out = pictures(samples)
    return [PairView(picture, side) for picture, side in zip(chosen, sides, strict=False)], left_out


def _size(jpeg: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return int(image.width), int(image.height)
    except OSError:
        return 1, 1  # what is no JPEG is refused, with its key, when it is to be shown
