"""The parts of the page that need more than printing a value: curves, held-out measures, pace and sheets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from jobs.report import limits
from jobs.report.page import picture
from jobs.report.text import clip, count, number, words
from jobs.train.artefacts.facts import COUNTERS, Happening, HeldOut, ReportFacts, Sheet
from jobs.train.artefacts.grid import png_size
from jobs.train.artefacts.held_out import Words, change, in_words, words_of
from jobs.train.artefacts.report.curves import Line, Numbers, Upright, curve

TROUBLE = frozenset({"not_finite", "diverged", "collapsed", "rolled_back", "given_up"})
"""Happenings that are marked in every curve as such."""
TURNS = frozenset({"phase", "slower"})
"""Happenings after which a curve may go on elsewhere; marked as well."""

SHEETS = 6
"""Grids of samples."""
CURVES = 60
"""Terms with a curve."""
HAPPENINGS = 200
"""Rows of what happened."""


_MOST = 1e100
"""Larger values count as infinite: they cannot be drawn."""


@dataclass(frozen=True, slots=True)
class TermView:
    """A term of the objective.

    Attributes:
        name: its name.
        watched: whether divergence is noticed by it.
        linear: its curve; None where no value is finite.
        logarithmic: the same on a logarithmic scale; None where it has values of 0 or below.
        first: first finite value, as text.
        least: least finite value, as text.
        last: last value, as text.
        gaps: how many values are not finite; empty for none.
    """

    name: str
    watched: bool
    linear: Markup | None
    logarithmic: Markup | None
    first: str
    least: str
    last: str
    gaps: str


@dataclass(frozen=True, slots=True)
class MeasureView:
    """A held-out measure.

    Attributes:
        words: how it is spoken of.
        chart: over the steps; None where there is no value.
        given: last mean and interval of what was given, as text.
        made: of what was made, likewise.
        gain: of the difference, likewise.
        change: which way it went; a dash where that is not known.
        count: values that the last mean is made of.
    """

    words: Words
    chart: Markup | None
    given: str
    made: str
    gain: str
    change: str
    count: int


@dataclass(frozen=True, slots=True)
class SheetView:
    """A grid of samples in the page."""

    step: int
    uri: Markup
    width: int
    height: int


def term_views(facts: ReportFacts) -> tuple[list[TermView], int]:
    """Prepare all terms, the watched one first.

    Returns:
        The terms that are shown, and how many are left out to keep the file small.
    """
    names = dict.fromkeys(name for row in facts.rows for name in row if name not in COUNTERS)
    ordered = sorted(names, key=lambda name: name != facts.watched)
    uprights = marks(facts.happenings)
    shown = [_term(name, index, facts, uprights) for index, name in enumerate(ordered[:CURVES])]
    return shown, len(ordered) - len(shown)


def _term(name: str, index: int, facts: ReportFacts, uprights: Sequence[Upright]) -> TermView:
    rows = [row for row in facts.rows if name in row]
    values = np.array([float(row[name]) for row in rows])
    steps = np.array([float(row["step"]) for row in rows])
    values[np.abs(values) > _MOST] = math.inf
    known = values[np.isfinite(values)]
    missing = int(values.size - known.size)
    line = Line(f"{clip(name, limits.WORD_CHARS)} over the steps", steps, values, uprights=uprights, last=facts.done)
    return TermView(
        name=name,
        watched=name == facts.watched,
        linear=curve(line, f"term-{index}"),
        logarithmic=curve(line, f"term-{index}-log", logarithmic=True),
        first=number(float(known[0])) if known.size else "none",
        least=number(float(known.min())) if known.size else "none",
        last=number(float(values[-1])) if math.isfinite(values[-1]) else str(values[-1]),
        gaps=f"{count(missing)} of {count(values.size)} values are NaN or infinite." if missing else "",
    )


def marks(happenings: Sequence[Happening]) -> list[Upright]:
    """The happenings that are marked in every curve, at most `HAPPENINGS` of them."""
    kinds = dict.fromkeys(TROUBLE, "trouble") | dict.fromkeys(TURNS, "turn")
    return [
        Upright(one.step, kinds[one.kind], f"step {count(one.step)}: {words(one.kind)}")
        for one in happenings
        if one.kind in kinds
    ][:HAPPENINGS]


def measure_views(measured: Sequence[HeldOut], last_step: int) -> list[MeasureView]:
    """Prepare all held-out measures.

    Args:
        measured: by rising `step`.
        last_step: end of the charts' axis.
    """
    names = dict.fromkeys(name for each in measured for name in each.made)
    return [_measure(name, index, measured, last_step) for index, name in enumerate(list(names)[: limits.CODES])]


def _measure(name: str, index: int, measured: Sequence[HeldOut], last_step: int) -> MeasureView:
    known = [each for each in measured if name in each.made]
    spoken, last = words_of(name), known[-1]
    made = [each.made[name] for each in known]
    given = last.given.get(name)
    unit = f", {spoken.unit}" if spoken.unit else ""
    line = Line(
        f"{spoken.label}{unit}, over the steps",
        np.array([float(each.step) for each in known]),
        _numbers([one.mean for one in made]),
        _numbers([one.low for one in made]),
        _numbers([one.high for one in made]),
        None if given is None else given.mean,
        last=last_step,
    )
    return MeasureView(
        spoken,
        curve(line, f"held-out-{index}"),
        in_words(given, spoken.digits),
        in_words(last.made[name], spoken.digits),
        in_words(last.gain.get(name), spoken.digits),
        change(name, last) or "\N{EN DASH}",
        last.made[name].count,
    )


def pace_view(facts: ReportFacts) -> Markup | None:
    """Steps a second over the steps; None where fewer than two times are known."""
    known = facts.pace or tuple((int(row["step"]), float(row["seconds"])) for row in facts.rows if "seconds" in row)
    spans = [
        (later[0], (later[0] - earlier[0]) / (later[1] - earlier[1]))
        for earlier, later in pairwise(known)
        if later[0] > earlier[0] and later[1] > earlier[1]
    ]
    if not spans:
        return None
    steps, rates = np.array(spans, np.float64).T
    line = Line("Steps a second, over the steps", steps, rates, uprights=marks(facts.happenings), last=facts.done)
    return curve(line, "pace-chart")


def sheet_views(sheets: Sequence[Sheet]) -> tuple[list[SheetView], int]:
    """Choose the grids that fit: the last, the first, and others evenly between.

    Returns:
        The grids, the last one first, and how many were left out to keep the file small.

    Raises:
        ValueError: a sheet is no PNG; nothing else may be embedded.
    """
    wanted = np.unique(np.linspace(len(sheets) - 1, 0, min(SHEETS, len(sheets))).round().astype(int))[::-1]
    chosen: list[SheetView] = []
    spent = 0
    for index in (int(one) for one in wanted):
        sheet = sheets[index]
        width, height = png_size(sheet.png)
        spent += len(sheet.png)
        if spent <= limits.SAMPLE_BYTES:
            chosen.append(SheetView(sheet.step, picture(sheet.png, "png"), width, height))
    return chosen, len(sheets) - len(chosen)


def _numbers(values: Sequence[float | None]) -> Numbers:
    return np.array([math.nan if value is None else value for value in values], np.float64)
