"""Histograms of drawn parameters as inline SVG."""

from __future__ import annotations

from xml.etree.ElementTree import SubElement, tostring

import numpy as np
from markupsafe import Markup

from jobs.pairs.report.data import Numbers
from jobs.report.axes import canvas, draw_axis, draw_grid, outline, places
from jobs.report.limits import WORD_CHARS
from jobs.report.text import clip, count, number


def plot(step: str, name: str, numbers: Numbers, identifier: str) -> Markup:
    """Draw what was drawn, filled, and what the recipe would give on average as a dashed outline.

    Args:
        step: the step's id.
        name: of the parameter.
        numbers: at least one value.
        identifier: unique in the page, a letter followed by letters, digits or dashes.

    Returns:
        One `svg` element with a title and a description for those who cannot see it.
    """
    step, name = clip(step, WORD_CHARS), clip(name, WORD_CHARS)
    drawn = np.asarray(numbers.counts, dtype=np.float64) / max(numbers.total, 1)
    expected = np.asarray(numbers.expected, dtype=np.float64)
    svg = canvas(
        f"{step}: {name}",
        f"{count(numbers.total)} {'value' if numbers.total == 1 else 'values'}, {spread(numbers)}.",
        identifier,
    )
    peak = float(max(drawn.max(), expected.max(initial=0.0)))
    draw_grid(svg, peak)
    edges = np.asarray(numbers.edges, dtype=np.float64)
    across = places(edges, edges, logarithmic=numbers.logarithmic)
    SubElement(svg, "path", {"class": "after", "d": outline(across, drawn / peak)})
    if expected.size:
        SubElement(svg, "path", {"class": "before", "d": outline(across, expected / peak)})
    draw_axis(svg, edges, name, logarithmic=numbers.logarithmic)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  ElementTree has escaped every text


def spread(numbers: Numbers) -> str:
    """The numbers in words; a single one is said as it is."""
    low, middle, high = (number(value) for value in numbers.quantiles)
    return f"{middle}, once" if numbers.total == 1 else f"median {middle}, nine in ten between {low} and {high}"
