"""Throughput over time as inline SVG; the style sheet colours it by class."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from jobs.report.axes import ticks
from jobs.report.text import number
from jobs.watch.pace import Timeline
from jobs.watch.words import UNITS, clock_time, rate, span

_WIDTH, _HEIGHT = 720, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 716, 8, 140
LABELS = 6


def throughput(timeline: Timeline, records: str, unit: str) -> Markup:
    """Bars of records a second.

    Args:
        timeline: at least one bar.
        records: what a record is called.
        unit: of the rates, a key of `jobs.watch.words.UNITS`.

    Returns:
        One `svg` element with a title and a description for those who cannot see it; every bar says its own number.
    """
    values = [value * dict(UNITS)[unit] for value in timeline.rates]
    marks = [mark for mark in ticks(0.0, max(values) or 1.0, logarithmic=False) if mark >= 0]
    top = max(*values, marks[-1]) or 1.0
    attributes = {"class": "throughput", "viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "role": "img"}
    svg = Element("svg", {**attributes, "aria-labelledby": "throughput-title throughput-text"})
    SubElement(svg, "title", {"id": "throughput-title"}).text = f"{records}/{unit}"
    mean, top_rate = sum(timeline.rates) / len(timeline.rates), max(timeline.rates)
    SubElement(svg, "desc", {"id": "throughput-text"}).text = (
        f"Since {clock_time(timeline.start)}, a bar for every {span(timeline.bin_seconds)}: on the mean "
        f"{rate(mean, unit)}, at most {rate(top_rate, unit)}, in the last bar {rate(timeline.rates[-1], unit)}."
    )
    for mark in marks[:: max(len(marks) // 3, 1)]:
        y = f"{_BOTTOM - mark / top * (_BOTTOM - _TOP):.1f}"
        SubElement(svg, "line", {"class": "grid", "x1": str(_LEFT), "x2": str(_RIGHT), "y1": y, "y2": y})
        SubElement(svg, "text", {"class": "tick end", "x": str(_LEFT - 6), "y": y, "dy": "0.35em"}).text = number(mark)
    _bars(svg, timeline, values, top, unit)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  ElementTree has escaped every text


def _bars(svg: Element, timeline: Timeline, values: list[float], top: float, unit: str) -> None:
    count = len(values)
    width = (_RIGHT - _LEFT) / max(count, 12)
    every = max(-(-count // LABELS), 1)
    seconds = timeline.bin_seconds * every < 60
    for place, value in enumerate(values):
        x = _LEFT + place * width
        height = value / top * (_BOTTOM - _TOP)
        begin = timeline.start + place * timeline.bin_seconds
        shape = {"x": f"{x + width * 0.08:.1f}", "width": f"{width * 0.84:.1f}"}
        bar = SubElement(svg, "rect", {**shape, "y": f"{_BOTTOM - height:.1f}", "height": f"{height:.1f}"})
        SubElement(bar, "title").text = f"{clock_time(begin, seconds=True)}: {rate(timeline.rates[place], unit)}"
        if place % every == 0 and (x < _RIGHT - 40 or not place):
            label = SubElement(svg, "text", {"class": "tick", "x": f"{x:.1f}", "y": "160"})
            label.text = clock_time(begin, seconds=seconds)
