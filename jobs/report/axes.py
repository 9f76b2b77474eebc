"""The frame of a chart as SVG: canvas, grid, axes with round numbers, and the staircase of a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from jobs.report.text import number, percent

_WIDTH, _HEIGHT = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 352, 10, 158


def canvas(title: str, description: str, identifier: str) -> Element:
    """An empty `svg` element with a title and a description for those who cannot see it.

    Args:
        title: what it shows.
        description: what there is to see.
        identifier: unique in the page, a letter followed by letters, digits or dashes.
    """
    svg = Element(
        "svg",
        {
            "class": "histogram",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "aria-labelledby": f"{identifier}-title {identifier}-text",
        },
    )
    SubElement(svg, "title", {"id": f"{identifier}-title"}).text = title
    SubElement(svg, "desc", {"id": f"{identifier}-text"}).text = description
    return svg


def places(values: NDArray[np.float64], span: NDArray[np.float64], *, logarithmic: bool) -> list[float]:
    """Horizontal places of values, in the drawing's units, for an axis from the first to the last of `span`."""
    if logarithmic:
        values, span = np.log(values), np.log(span)
    across = _LEFT + (values - span[0]) / (span[-1] - span[0]) * (_RIGHT - _LEFT)
    return [float(place) for place in across]


def levels(values: NDArray[np.float64], span: tuple[float, float], *, logarithmic: bool) -> list[float]:
    """Vertical places of values, in the drawing's units, for an axis from the lower to the higher end of `span`."""
    low, high = span
    if logarithmic:
        values, low, high = np.log(values), math.log(low), math.log(high)
    up = _BOTTOM - (values - low) / (high - low) * (_BOTTOM - _TOP)
    return [float(place) for place in up]


def outline(across: Sequence[float], heights: NDArray[np.float64]) -> str:
    """A closed staircase, as the data of a path.

    Args:
        across: (n + 1) places of the bins' borders.
        heights: (n,) in [0, 1] of the drawing's height.
    """
    path = [f"M{across[0]:.1f} {_BOTTOM}"]
    for right, height in zip(across[1:], heights, strict=True):
        path.append(f"V{_BOTTOM - float(height) * (_BOTTOM - _TOP):.1f}H{right:.1f}")
    return "".join(path) + f"V{_BOTTOM}Z"


def draw_grid(svg: Element, peak: float) -> None:
    """Lines at none, half and all of the highest share, with their numbers."""
    for share in (0.0, 0.5, 1.0):
        y = f"{_BOTTOM - share * (_BOTTOM - _TOP):.1f}"
        SubElement(svg, "line", {"class": "grid", "x1": str(_LEFT), "x2": str(_RIGHT), "y1": y, "y2": y})
        text = SubElement(svg, "text", {"class": "tick end", "x": str(_LEFT - 6), "y": y, "dy": "0.35em"})
        text.text = percent(share * peak, 1.0) if share else "0"


def draw_levels(svg: Element, span: tuple[float, float], *, logarithmic: bool) -> None:
    """Lines at round numbers between both ends of `span`, with their numbers."""
    marks = ticks(*span, logarithmic)
    for mark, place in zip(marks, levels(np.asarray(marks), span, logarithmic=logarithmic), strict=True):
        y = f"{place:.1f}"
        SubElement(svg, "line", {"class": "grid", "x1": str(_LEFT), "x2": str(_RIGHT), "y1": y, "y2": y})
        text = SubElement(svg, "text", {"class": "tick end", "x": str(_LEFT - 6), "y": y, "dy": "0.35em"})
        text.text = f"{mark:g}"


def draw_upright(svg: Element, across: float, kind: str, said: str) -> None:
    """A line from top to bottom.

    Args:
        svg: what it is drawn into.
        across: its horizontal place.
        kind: its class.
        said: what a pointer is told.
    """
    x = f"{across:.1f}"
    line = SubElement(svg, "line", {"class": kind, "x1": x, "x2": x, "y1": str(_TOP), "y2": str(_BOTTOM)})
    SubElement(line, "title").text = said


def draw_axis(svg: Element, edges: NDArray[np.float64], label: str, *, logarithmic: bool) -> None:
    """Ticks at round numbers between the first and the last edge, and what they are."""
    marks = ticks(float(edges[0]), float(edges[-1]), logarithmic)
    for mark, x in zip(marks, places(np.asarray(marks), edges, logarithmic=logarithmic), strict=True):
        SubElement(svg, "line", {"class": "mark", "x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": str(_BOTTOM), "y2": "162"})
        SubElement(svg, "text", {"class": "tick middle", "x": f"{x:.1f}", "y": "175"}).text = number(mark)
    middle = str((_LEFT + _RIGHT) / 2)
    text = SubElement(svg, "text", {"class": "label middle", "x": middle, "y": "195"})
    text.text = label + (", logarithmic" if logarithmic else "")


def ticks(low: float, high: float, logarithmic: bool) -> list[float]:
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
    return [float(f"{index * step:.12g}") + 0.0 for index in range(first, math.floor(high / step + 1e-9) + 1)]
