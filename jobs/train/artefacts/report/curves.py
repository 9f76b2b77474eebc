"""Curves over the steps of a training as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from jobs.report.axes import canvas, draw_axis, draw_levels, draw_upright, levels, places
from jobs.report.text import count, number

_MOST_POINTS = 160
"""Points of a curve: longer ones are drawn as the mean, the least and the most of stretches of steps."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Upright:
    """A step that is marked in every curve.

    Attributes:
        step: where.
        kind: `trouble` or `turn`.
        said: what a pointer is told.
    """

    step: int
    kind: str
    said: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve.

    Attributes:
        title: what it shows.
        steps: (n,) rising.
        values: (n,); those that are not finite leave a gap.
        low: (n,) lower ends of intervals, or None.
        high: (n,) upper ends, likewise.
        level: a value to compare with, drawn as a dashed line; None for none.
        uprights: steps that are marked.
        last: end of the axis, in steps; the last of `steps` where it is smaller.
    """

    title: str
    steps: Numbers
    values: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    level: float | None = None
    uprights: Sequence[Upright] = field(default_factory=tuple)
    last: int = 0


def curve(line: Line, identifier: str, *, logarithmic: bool = False) -> Markup | None:
    """Draw a curve.

    Args:
        line: what to draw.
        identifier: unique in the page, a letter followed by letters, digits or dashes.
        logarithmic: the scale of the values; their steps are drawn as they are.

    Returns:
        One `svg` element with a title and a description for those who cannot see it; None where no value is finite, or,
        on a logarithmic scale, where a value is not above 0.
    """
    drawn = _thinned(line)
    span = _span(drawn, logarithmic)
    if span is None:
        return None
    svg = canvas(line.title, _said(line), identifier)
    edges = np.array([0.0, max(float(line.steps[-1]), float(line.last), 1.0)])
    draw_levels(svg, span, logarithmic=logarithmic)
    for upright in (one for one in line.uprights if one.step <= edges[1]):
        across = places(np.array([float(upright.step)]), edges, logarithmic=False)[0]
        draw_upright(svg, across, upright.kind, upright.said)
    _draw(svg, drawn, edges, span, logarithmic=logarithmic)
    draw_axis(svg, edges, "steps", logarithmic=False)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  ElementTree has escaped every text


def _draw(svg: Element, line: Line, edges: Numbers, span: tuple[float, float], *, logarithmic: bool) -> None:
    across = places(line.steps, edges, logarithmic=False)
    if line.low is not None and line.high is not None:
        low = levels(line.low, span, logarithmic=logarithmic)
        high = levels(line.high, span, logarithmic=logarithmic)
        for run in _runs(np.isfinite(line.low) & np.isfinite(line.high)):
            there = [f"{across[i]:.1f} {high[i]:.1f}" for i in run]
            back = [f"{across[i]:.1f} {low[i]:.1f}" for i in reversed(run)]
            SubElement(svg, "path", {"class": "band", "d": f"M{'L'.join(there + back)}Z"})
    if line.level is not None:
        y = levels(np.array([line.level]), span, logarithmic=logarithmic)[0]
        ends = places(edges, edges, logarithmic=False)
        SubElement(svg, "path", {"class": "before", "d": f"M{ends[0]:.1f} {y:.1f}L{ends[1]:.1f} {y:.1f}"})
    up = levels(line.values, span, logarithmic=logarithmic)
    for run in _runs(np.isfinite(line.values)):
        points = [f"{across[i]:.1f} {up[i]:.1f}" for i in run]
        if len(points) == 1:
            x, y_text = points[0].split()
            SubElement(svg, "circle", {"class": "point", "cx": x, "cy": y_text, "r": "2.5"})
        else:
            SubElement(svg, "path", {"class": "line", "d": f"M{'L'.join(points)}"})


def _thinned(line: Line) -> Line:
    """The same curve with at most `_MOST_POINTS` points; what lies between them becomes its band."""
    if line.steps.size <= _MOST_POINTS:
        return line
    parts = np.array_split(np.arange(line.steps.size), _MOST_POINTS)
    known = [line.values[part][np.isfinite(line.values[part])] for part in parts]
    low = np.array([values.min() if values.size else math.nan for values in known])
    high = np.array([values.max() if values.size else math.nan for values in known])
    means = np.array([values.mean() if values.size else math.nan for values in known])
    steps = np.array([float(line.steps[part].mean()) for part in parts])
    return Line(line.title, steps, means, low, high, line.level, line.uprights, line.last)


def _span(line: Line, logarithmic: bool) -> tuple[float, float] | None:
    """From the least to the most of all that is drawn, with room above and below."""
    level = np.array([] if line.level is None else [line.level])
    everything = [line.values, level, *(each for each in (line.low, line.high) if each is not None)]
    known = np.concatenate(everything)
    known = known[np.isfinite(known)]
    if not np.isfinite(line.values).any() or (logarithmic and known.min() <= 0.0):
        return None
    low, high = float(known.min()), float(known.max())
    if logarithmic:
        room = max((high / low) ** 0.05, 1.05)
        return low / room, high * room
    flat = high - low <= 1e-9 * max(abs(low), abs(high))
    room = (abs(high) or 1.0) * 0.05 if flat else (high - low) * 0.05
    return low - room, high + room


def _runs(known: NDArray[np.bool_]) -> list[list[int]]:
    """Places without a gap between them."""
    places_of = np.flatnonzero(known)
    if not places_of.size:
        return []
    return [run.tolist() for run in np.split(places_of, np.flatnonzero(np.diff(places_of) > 1) + 1)]


def _said(line: Line) -> str:
    known = np.isfinite(line.values)
    values, steps = line.values[known], line.steps[known]
    least, most = int(values.argmin()), int(values.argmax())
    compared = "" if line.level is None else f" The dashed line is at {number(line.level)}."
    return (
        f"From {number(float(values[0]))} at step {count(int(steps[0]))} to {number(float(values[-1]))} at step "
        f"{count(int(steps[-1]))}; least {number(float(values[least]))} at step {count(int(steps[least]))}, most "
        f"{number(float(values[most]))} at step {count(int(steps[most]))}.{compared}"
    )
