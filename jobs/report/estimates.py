"""The section on estimate and fact: rows with a drawn range and a mark where the fact lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from jobs.estimate.fact import Comparison, Row
from jobs.report import text

WRITTEN: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "duration": text.duration,
        "hours": lambda value: text.duration(value) if value < 3600 else f"{text.number(value / 3600)} h",
        "number": text.number,
        "count": lambda value: text.count(round(value)),
        "bytes": lambda value: text.size(round(value)),
        "money": lambda value: f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}",
    }
)
MARGIN = 1.08
"""The drawing reaches a little further than the largest number in it."""


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """A row of the section's table.

    Attributes:
        label: what it is.
        estimate: as text.
        range: as text.
        fact: as text.
        off: by how much the fact differs from the estimate, as text; empty where that cannot be said.
        verdict: `inside`, `above` or `below` the range.
        drawing: an `svg` element.
    """

    label: str
    estimate: str
    range: str
    fact: str
    off: str
    verdict: str
    drawing: Markup


def estimate_rows(comparison: Comparison | None) -> list[EstimateRow]:
    """Prepare the rows; none without a comparison."""
    return [_row(row) for row in comparison.rows] if comparison is not None else []


def _row(row: Row) -> EstimateRow:
    written = WRITTEN[row.kind]
    low, point, high = written(row.low), written(row.point), written(row.high)
    return EstimateRow(
        label=row.label,
        estimate=point,
        range=low if low == high else f"{low} to {high}",
        fact=written(row.fact),
        off=_off(row.off),
        verdict=row.verdict,
        drawing=span(row.low, row.point, row.high, row.fact),
    )


def _off(part: float | None) -> str:
    if part is None:
        return ""
    if abs(part) < 0.0005:
        return "0 %"
    sign = "+" if part > 0 else "\N{MINUS SIGN}"
    return f"{sign}{text.percent(abs(part), 1.0)}" if abs(part) < 1 else f"{sign}{100 * abs(part):,.0f} %"


def span(low: float, point: float, high: float, fact: float) -> Markup:
    """A range as a bar on a line from 0, the estimate as a thin mark in it, the fact as a dot.

    Returns:
        One `svg` element, hidden from screen readers because the numbers are there as text.
    """
    largest = max(high, fact) * MARGIN or 1.0
    across = [f"{2 + 96 * value / largest:.2f}" for value in (low, point, high, fact)]
    svg = Element("svg", {"class": "span", "viewBox": "0 0 100 12", "aria-hidden": "true"})
    SubElement(svg, "line", {"class": "grid", "x1": "2", "x2": "98", "y1": "6", "y2": "6"})
    width = f"{max(0.8, float(across[2]) - float(across[0])):.2f}"
    SubElement(svg, "rect", {"x": across[0], "y": "3", "width": width, "height": "6"})
    SubElement(svg, "line", {"class": "point", "x1": across[1], "x2": across[1], "y1": "1.5", "y2": "10.5"})
    SubElement(svg, "circle", {"cx": across[3], "cy": "6", "r": "2"})
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  numbers only
