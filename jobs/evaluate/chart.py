"""Dots with their intervals, one row a method, as inline SVG that the style sheet colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from jobs.evaluate.tables import heading, number
from jobs.report.axes import ticks
from jobs.report.text import clip
from jobs.report.text import number as short

_WIDTH, _LEFT, _RIGHT = 480, 150, 462
_TOP, _ROW, _FOOT = 10, 22, 40
_NAME_CHARS = 20


def chart(measure: Mapping[str, Any], against: str | None, identifier: str) -> Markup | None:
    """Draw a measure's means.

    Args:
        measure: of the result, as `jobs.evaluate.account` has it.
        against: the method that others are compared with, whose mean is a line through the whole drawing.
        identifier: unique in the page, a letter followed by letters, digits or dashes.

    Returns:
        One `svg` element with a title and a description for those who cannot see it; None where there is no number.
    """
    values = {name: value for name, value in measure["values"].items() if value is not None}
    if measure["truth"] is not None:
        values["truth"] = measure["truth"]
    if not values:
        return None
    low, high = _span(values)
    bottom = _TOP + _ROW * len(values)
    svg = _canvas(measure, values, identifier, bottom)
    _grid(svg, low, high, bottom, heading(measure))
    if against in values:
        x = _place(float(values[against]["mean"] or 0.0), low, high)
        SubElement(svg, "line", {"class": "against", "x1": x, "x2": x, "y1": str(_TOP), "y2": str(bottom)})
    for row, (name, value) in enumerate(values.items()):
        _method(svg, name, value, (low, high), _TOP + _ROW * (row + 0.5), best=name in measure["best"])
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  ElementTree has escaped every text


def _span(values: Mapping[str, Mapping[str, float | None]]) -> tuple[float, float]:
    numbers = [float(one) for value in values.values() for one in value.values() if one is not None]
    low, high = min(numbers), max(numbers)
    room = (high - low) * 0.06 or max(abs(high), 1.0) * 0.05
    return low - room, high + room


def _canvas(measure: Mapping[str, Any], values: Mapping[str, Any], identifier: str, bottom: int) -> Element:
    svg = Element(
        "svg",
        {
            "class": "dots",
            "viewBox": f"0 0 {_WIDTH} {bottom + _FOOT}",
            "role": "img",
            "aria-labelledby": f"{identifier}-title {identifier}-text",
        },
    )
    SubElement(svg, "title", {"id": f"{identifier}-title"}).text = f"{measure['label']} by method"
    said = [f"{clip(name)} {number(value['mean'], measure['digits'])}" for name, value in values.items()]
    SubElement(svg, "desc", {"id": f"{identifier}-text"}).text = f"{measure['better']} is better: {'; '.join(said)}."
    return svg


def _grid(svg: Element, low: float, high: float, bottom: int, label: str) -> None:
    for mark in ticks(low, high, logarithmic=False):
        x = _place(mark, low, high)
        SubElement(svg, "line", {"class": "grid", "x1": x, "x2": x, "y1": str(_TOP), "y2": str(bottom)})
        SubElement(svg, "text", {"class": "tick middle", "x": x, "y": str(bottom + 14)}).text = short(mark)
    middle = str((_LEFT + _RIGHT) / 2)
    SubElement(svg, "text", {"class": "label middle", "x": middle, "y": str(bottom + 34)}).text = label


def _method(
    svg: Element,
    name: str,
    value: Mapping[str, float | None],
    span: tuple[float, float],
    y: float,
    *,
    best: bool,
) -> None:
    group = SubElement(svg, "g", {"class": "method best" if best else "method"})
    text = SubElement(group, "text", {"class": "name end", "x": str(_LEFT - 12), "y": f"{y:.1f}", "dy": "0.35em"})
    text.text = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}\N{HORIZONTAL ELLIPSIS}"
    if value["low"] is not None and value["high"] is not None:
        ends = {"x1": _place(value["low"], *span), "x2": _place(value["high"], *span)}
        SubElement(group, "line", {"class": "interval", **ends, "y1": f"{y:.1f}", "y2": f"{y:.1f}"})
    centre = _place(float(value["mean"] or 0.0), *span)
    SubElement(group, "circle", {"class": "dot", "cx": centre, "cy": f"{y:.1f}", "r": "4"})


def _place(value: float, low: float, high: float) -> str:
    return f"{_LEFT + (value - low) / (high - low) * (_RIGHT - _LEFT):.1f}"
