"""Charts as inline SVG: the style sheet colours them by class, so one drawing serves light, dark and paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from jobs.report.axes import canvas, draw_axis, draw_grid, outline, places
from jobs.report.data import Distribution, Series
from jobs.report.measures import Measure
from jobs.report.text import number

_MIN_BARS, _MAX_BARS = 8, 32
_MIN_SPAN = 24  # kept bins: values that are all the same still get an axis around them


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a histogram worth drawing, with neighbouring bins added up.

    Attributes:
        edges: (n + 1,) borders of the drawn bins, in the measure's unit.
        before: (n,) shares in [0, 1], or None.
        after: (n,) shares in [0, 1].
    """

    edges: NDArray[np.float64]
    before: NDArray[np.float64] | None
    after: NDArray[np.float64]


def histogram(distribution: Distribution, measure: Measure, identifier: str) -> Markup:
    """Draw a measure before and after as two overlaid histograms.

    Before is a dashed outline, after a filled one: they can be told apart without colour. The height of a bin is the
    share of faces in it. The number of bins grows with the number of faces (Rice's rule, 2 n^(1/3)).

    Args:
        distribution: at least one value.
        measure: what it is a distribution of.
        identifier: unique in the page, a letter followed by letters, digits or dashes.

    Returns:
        One `svg` element with a title and a description for those who cannot see it.
    """
    window = _window(distribution)
    peak = max(
        float(window.after.max(initial=0)), 0.0 if window.before is None else float(window.before.max(initial=0))
    )
    svg = canvas(f"{measure.label}: distribution over faces", _description(distribution), identifier)
    draw_grid(svg, peak)
    logarithmic = measure.scale == "log"
    across = places(window.edges, window.edges, logarithmic=logarithmic)
    if window.before is not None:
        SubElement(svg, "path", {"class": "before", "d": outline(across, window.before / peak)})
    SubElement(svg, "path", {"class": "after", "d": outline(across, window.after / peak)})
    unit = f" ({measure.unit})" if measure.unit else ""
    label = measure.label.lower() if not measure.label.isupper() else measure.label
    draw_axis(svg, window.edges, f"{label}{unit}", logarithmic=logarithmic)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  ElementTree has escaped every text


def bar(value: float, largest: float) -> Markup:
    """Draw a number as a horizontal bar, for a table cell that stands beside the number itself.

    Args:
        value: at least 0.
        largest: the value of the longest bar of the table, above 0.

    Returns:
        One `svg` element, hidden from screen readers because the number is there as text.
    """
    svg = Element("svg", {"class": "bar", "viewBox": "0 0 100 1", "preserveAspectRatio": "none", "aria-hidden": "true"})
    length = 100 * min(max(value / largest, 0.0), 1.0) if largest > 0 else 0.0
    SubElement(svg, "rect", {"width": f"{length:.2f}", "height": "1"})
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  numbers only


def _window(distribution: Distribution) -> _Window:
    after = np.asarray(distribution.after.counts, dtype=np.int64)
    before = None if distribution.before is None else np.asarray(distribution.before.counts, dtype=np.int64)
    used = np.flatnonzero(after if before is None else after + before)
    bins = after.size
    low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, bins)
    slack = max(_MIN_SPAN - (high - low), (high - low) // 20)
    low, high = max(low - (slack + 1) // 2, 0), min(high + (slack + 1) // 2, bins)
    values = max(distribution.after.total, 0 if distribution.before is None else distribution.before.total)
    wanted = min(max(math.ceil(2 * values ** (1 / 3)), _MIN_BARS), _MAX_BARS)
    step = max(math.ceil((high - low) / wanted), 1)
    starts = np.arange(low, high, step)
    borders = np.append(starts, min(int(starts[-1]) + step, bins))
    edges = np.asarray(distribution.edges, dtype=np.float64)[borders]
    return _Window(edges, None if before is None else _shares(before, borders), _shares(after, borders))


def _shares(counts: NDArray[np.int64], borders: NDArray[np.int64]) -> NDArray[np.float64]:
    cumulated = np.concatenate([[0], np.cumsum(counts)])
    return np.diff(cumulated[borders]) / max(int(counts.sum()), 1)


def _description(distribution: Distribution) -> str:
    if distribution.before is None:
        return _spread(distribution.after)
    return f"Before: {_spread(distribution.before)} After: {_spread(distribution.after)}"


def _spread(series: Series) -> str:
    if series.total == 0:
        return "no values."
    low, middle, high = (number(series.quantiles[level]) for level in (0.05, 0.5, 0.95))
    return f"median {middle}, nine in ten between {low} and {high}."
