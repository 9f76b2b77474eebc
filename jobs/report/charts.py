"""Charts as inline SVG: the style sheet colours them by class, so one drawing serves light, dark and paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from jobs.report.data import Distribution, Series
from jobs.report.measures import Measure
from jobs.report.text import number, percent

_WIDTH, _HEIGHT = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 352, 10, 158
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
    svg = Element(
        "svg",
        {
            "class": "histogram",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "aria-labelledby": f"{identifier}-title {identifier}-text",
        },
    )
    SubElement(svg, "title", {"id": f"{identifier}-title"}).text = f"{measure.label}: distribution over faces"
    SubElement(svg, "desc", {"id": f"{identifier}-text"}).text = _description(distribution)
    _draw_grid(svg, peak)
    places = _places(window.edges, measure)
    if window.before is not None:
        SubElement(svg, "path", {"class": "before", "d": _outline(places, window.before / peak)})
    SubElement(svg, "path", {"class": "after", "d": _outline(places, window.after / peak)})
    _draw_axis(svg, window.edges, measure)
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


def _places(values: NDArray[np.float64], measure: Measure, edges: NDArray[np.float64] | None = None) -> list[float]:
    """Horizontal places of values, in the drawing's units, for an axis that spans `edges` (or the values)."""
    span = values if edges is None else edges
    if measure.scale == "log":
        values, span = np.log(values), np.log(span)
    places = _LEFT + (values - span[0]) / (span[-1] - span[0]) * (_RIGHT - _LEFT)
    return [float(place) for place in places]


def _outline(places: list[float], heights: NDArray[np.float64]) -> str:
    """A closed staircase."""
    path = [f"M{places[0]:.1f} {_BOTTOM}"]
    for right, height in zip(places[1:], heights, strict=True):
        path.append(f"V{_BOTTOM - float(height) * (_BOTTOM - _TOP):.1f}H{right:.1f}")
    return "".join(path) + f"V{_BOTTOM}Z"


def _draw_grid(svg: Element, peak: float) -> None:
    for share in (0.0, 0.5, 1.0):
        y = f"{_BOTTOM - share * (_BOTTOM - _TOP):.1f}"
        SubElement(svg, "line", {"class": "grid", "x1": str(_LEFT), "x2": str(_RIGHT), "y1": y, "y2": y})
        text = SubElement(svg, "text", {"class": "tick end", "x": str(_LEFT - 6), "y": y, "dy": "0.35em"})
        text.text = percent(share * peak, 1.0) if share else "0"


def _draw_axis(svg: Element, edges: NDArray[np.float64], measure: Measure) -> None:
    ticks = _ticks(float(edges[0]), float(edges[-1]), measure.scale == "log")
    for tick, x in zip(ticks, _places(np.asarray(ticks), measure, edges), strict=True):
        SubElement(svg, "line", {"class": "mark", "x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": str(_BOTTOM), "y2": "162"})
        SubElement(svg, "text", {"class": "tick middle", "x": f"{x:.1f}", "y": "175"}).text = number(tick)
    middle = str((_LEFT + _RIGHT) / 2)
    label = SubElement(svg, "text", {"class": "label middle", "x": middle, "y": "195"})
    unit = f" ({measure.unit})" if measure.unit else ""
    scale = ", logarithmic" if measure.scale == "log" else ""
    label.text = f"{measure.label.lower() if not measure.label.isupper() else measure.label}{unit}{scale}"


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Round numbers inside [low, high]: steps of 1, 2 or 5 times a power of ten, or whole powers on a log axis."""
    if logarithmic and high / low >= 50:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        stride = max(math.ceil((last - first + 1) / 6), 1)
        return [10.0**power for power in range(first, last + 1, stride)]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    # The sum with 0.0 turns a tick of -0.0 into 0.0.
    return [round(index * step, 12) + 0.0 for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _description(distribution: Distribution) -> str:
    if distribution.before is None:
        return _spread(distribution.after)
    return f"Before: {_spread(distribution.before)} After: {_spread(distribution.after)}"


def _spread(series: Series) -> str:
    if series.total == 0:
        return "no values."
    low, middle, high = (number(series.quantiles[level]) for level in (0.05, 0.5, 0.95))
    return f"median {middle}, nine in ten between {low} and {high}."
