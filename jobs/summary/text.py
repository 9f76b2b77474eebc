"""A summary as plain text, at most a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from jobs.report.text import clip, count
from jobs.summary.data import Summary
from jobs.summary.headline import night_lines, sentence, title
from jobs.summary.rows import REASONS, Row, circumstances, numbers, whereabouts

WIDTH = 96


def as_text(summary: Summary) -> str:
    """Lines of at most about 96 characters; paths and command lines are never broken."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    yield clip(title(summary), 200)
    yield from textwrap.wrap(sentence(summary), WIDTH)
    if summary.message:
        yield from textwrap.wrap(clip(summary.message), WIDTH, break_long_words=False, break_on_hyphens=False)
    if summary.night is not None:
        yield from _titled(f"night {summary.night.get('number', '')}".strip(), night_lines(summary.night))
    yield from _titled("records", _columns(numbers(summary)))
    if summary.reasons:
        yield from _titled("in quarantine", _reasons(summary))
    if summary.steps:
        yield from _titled("next", _steps(summary))
    yield from _titled("command", _columns(circumstances(summary)))
    yield from _titled("places", _columns(whereabouts(summary)))


def _titled(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{name}:"
        yield from (f"  {line}" for line in lines)


def _columns(rows: list[Row]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _reasons(summary: Summary) -> list[str]:
    lines: list[str] = []
    for reason in summary.reasons[:REASONS]:
        lines.append(f"{count(reason.count)} {clip(reason.code, 80)}")
        lines += [f"    {line}" for line in textwrap.wrap(reason.advice, WIDTH - 8)]
    more = summary.reasons[REASONS:]
    if more:
        lines.append(f"{count(sum(reason.count for reason in more))} for {len(more)} further reasons")
    return lines


def _steps(summary: Summary) -> list[str]:
    lines: list[str] = []
    for step in summary.steps:
        lines.append(f"{step.why}{':' if step.command else '.'}")
        if step.command:
            lines.append(f"    {clip(step.command)}")
    return lines
