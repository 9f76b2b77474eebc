"""The tables of an evaluation, for terminals, Markdown and HTML alike."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from jobs.evaluate.methods import TRUTH
from jobs.report.text import NOTHING, count, visible

_ARROWS = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}"}
_KID_SCALE = 1000.0
_WIDE = 1000


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        value: as text.
        interval: its interval as text; empty for none.
        best: whether no other method is better.
    """

    value: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings.

    Attributes:
        title: what it shows.
        corner: heading of the first column.
        headings: of the others.
        rows: name and cells.
    """

    title: str
    corner: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def tables_of(result: Mapping[str, Any]) -> list[Table]:
    """All tables.

    Args:
        result: from `jobs.evaluate.account.account`.
    """
    return [table for table in (_means(result), _differences(result), _sets(result), _counts(result)) if table.rows]


def plain(tables: list[Table]) -> str:
    """For a terminal; nothing is cut off, so that a narrow one wraps."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=_WIDE, highlight=False, color_system=None)
    for table in tables:
        console.print(Text(table.title))
        grid = RichTable(box=None, pad_edge=False)
        grid.add_column(Text(table.corner))
        for words in table.headings:
            grid.add_column(Text(words), justify="right", no_wrap=True)
        for name, cells in table.rows:
            # Text, since what stands in brackets would be taken for markup.
            grid.add_row(Text(visible(name)), *(Text(_lines(cell)) for cell in cells))
        console.print(grid)
        console.print()
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()).rstrip("\n")


def markdown(table: Table) -> str:
    """A table of GitHub's Markdown; the best is bold."""
    lines = [
        f"| {' | '.join([table.corner, *table.headings])} |",
        f"|{'---|' * (len(table.headings) + 1)}",
    ]
    for name, cells in table.rows:
        texts = [_marked(cell) for cell in cells]
        lines.append(f"| {' | '.join([_escaped(name), *texts])} |")
    return "\n".join(lines)


def number(value: float | None, digits: int) -> str:
    """A number with its decimals, or a dash."""
    if value is None:
        return NOTHING
    return f"{round(value, digits) + 0.0:.{digits}f}"  # the sum turns -0.0 into 0.0


def heading(measure: Mapping[str, Any]) -> str:
    """A measure's name, unit and direction."""
    unit = f" ({measure['unit']})" if measure["unit"] else ""
    return f"{measure['label']}{unit} {_ARROWS[measure['better']]}"


def _means(result: Mapping[str, Any]) -> Table:
    measures = result["measures"]
    rows = []
    for method in result["methods"]:
        name = method["name"]
        rows.append((name, tuple(_cell(one["values"][name], one, best=name in one["best"]) for one in measures)))
    if any(one["truth"] for one in measures):
        rows.append((TRUTH, tuple(_cell(one["truth"], one) for one in measures)))
    numbers = {one["pictures"] for one in measures}
    if len(numbers) == 1:
        title, headings = f"Means over {count(min(numbers))} pictures", tuple(heading(one) for one in measures)
    else:
        title = "Means over n pictures"
        headings = tuple(f"{heading(one)}, n = {count(one['pictures'])}" for one in measures)
    return Table(f"{title}, with 95 % intervals", "method", headings, tuple(rows) if measures else ())


def _differences(result: Mapping[str, Any]) -> Table:
    against = result["settings"]["against"]
    measures = [one for one in result["measures"] if one["differences"]]
    names = [method["name"] for method in result["methods"] if method["name"] != against]
    rows = tuple(
        (name, tuple(_cell(one["differences"].get(name), one, sign=True) for one in measures))
        for name in names
        if any(name in one["differences"] for one in measures)
    )
    title = f"Differences to {against}, picture by picture, with 95 % intervals"
    return Table(title, "method", tuple(heading(one) for one in measures), rows if measures else ())


def _sets(result: Mapping[str, Any]) -> Table:
    sets = result["sets"]
    if sets is None:
        return Table("", "", (), ())
    rows = []
    for name, one in sets["methods"].items():
        kid = one["kid"]
        scaled = {key: kid[key] * _KID_SCALE for key in ("mean", "low", "high")} if kid else None
        kid_cell = Cell(NOTHING) if scaled is None else Cell(number(scaled["mean"], 2), _span(scaled, 2))
        rows.append((name, (Cell(number(one["fid"], 3)), kid_cell, Cell(count(one["pictures"])))))
    title = f"Distances of sets to {count(sets['reference'])} good pictures ({sets['dimensions']} features)"
    down = _ARROWS["lower"]
    return Table(title, "method", (f"FID {down}", f"KID x 1000 {down}", "pictures"), tuple(rows))


def _counts(result: Mapping[str, Any]) -> Table:
    rows = []
    for method in result["methods"]:
        faces = method["faces"]
        missed = sum(number for where, number in faces.items() if where != "found")
        errors = ", ".join(f"{count(number)} {code}" for code, number in method["errors"].items()) or "0"
        cells = [Cell(count(method["measured"])), Cell(errors), Cell(count(missed) if faces else NOTHING)]
        rows.append((method["name"], tuple(cells)))
    return Table("Pictures", "method", ("measured", "errors", "no face found"), tuple(rows))


def _cell(
    value: Mapping[str, float | None] | None, measure: Mapping[str, Any], *, best: bool = False, sign: bool = False
) -> Cell:
    if value is None:
        return Cell(NOTHING)
    mean = value["mean"]
    text = number(mean, measure["digits"])
    if sign and mean is not None and mean > 0:
        text = f"+{text}"
    return Cell(text, _span(value, measure["digits"]), best)


def _span(value: Mapping[str, float | None], digits: int) -> str:
    if value["low"] is None or value["high"] is None:
        return ""
    return f"[{number(value['low'], digits)}, {number(value['high'], digits)}]"


def _lines(cell: Cell) -> str:
    return f"{cell.value}\n{cell.interval}" if cell.interval else cell.value


def _marked(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.best else cell.value
    return f"{value} {cell.interval}".rstrip()


def _escaped(name: str) -> str:
    return visible(name).replace("|", "\\|")
