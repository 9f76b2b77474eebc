"""Foreign text in Markdown: it stays text, on one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jobs.report.text import clip

_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_BACKTICKS = re.compile(r"`+")

_NUMERIC = frozenset("0123456789-\N{EN DASH}")

MOST = 2000
"""Characters of a text."""


def plain(text: str) -> str:
    """Text of which nothing is markup, made visible, cut at `MOST`."""
    return _SIGNS.sub(r"\\\1", clip(" ".join(text.split()), MOST))


def code(text: str) -> str:
    """Text in a span of code, whatever backticks it has (CommonMark 0.31, section 6.1)."""
    shown = clip(" ".join(text.split()), MOST)
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """Lines of code; the fence is longer than any inside (CommonMark 0.31, section 4.5)."""
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are Markdown already.

    Args:
        head: titles of the columns; those of numbers are aligned to the right.
        rows: as many cells each.
    """
    numbers = [all(row[index][:1] in _NUMERIC for row in rows) for index in range(len(head))]
    line = "|" + "|".join("---:" if number else "---" for number in numbers) + "|"
    return "\n".join([f"| {' | '.join(head)} |", line, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)])


def _cell(cell: str) -> str:
    """A bar would end the cell, in code as well (GitHub Flavored Markdown 0.29, section 4.10)."""
    return re.sub(r"(?<!\\)\|", r"\\|", cell)
