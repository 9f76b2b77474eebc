"""The live view on a terminal: one screen that is drawn anew once a second."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jobs.report import text
from jobs.watch import words
from jobs.watch.loop import Seen
from jobs.watch.snapshot import Snapshot
from jobs.watch.spark import sparkline

WIDE = 110
"""Columns from which sections stand side by side."""

STYLES = {"complete": "green", "closed": "yellow", "working": "green", "idle": "yellow", "reading": "cyan"}
SHORT = 30
"""Lines below which the least of it is left out."""

ROWS = 8
"""Rows of a section at most."""


def screen(seen: Seen, scrub: Callable[[str], str], console: Console, elapsed: float = 0.0) -> RenderableType:
    """Everything that there is to show, cut to the terminal's size.

    Args:
        seen: the last snapshot, and what is the matter with storage.
        scrub: takes secrets out of a problem's words.
        console: of the terminal.
        elapsed: seconds since the snapshot was taken.
    """
    trouble = seen.trouble(scrub)
    if seen.snapshot is None:
        return Text(trouble or "Reading the ledger ...", style="yellow" if trouble else "")
    snap = seen.snapshot
    head: list[RenderableType] = [*_head(snap, console, elapsed)]
    if trouble:
        head.append(Text(trouble, style="yellow"))
    used = sum(len(console.render_lines(part, pad=False)) for part in head)
    sections = _sections(snap, max(console.height - used - 1, 6), wide=console.width >= WIDE)
    return Group(*head, *sections)


def _head(snap: Snapshot, console: Console, elapsed: float) -> list[RenderableType]:
    state = Text(words.state_word(snap), style=f"bold {STYLES[words.condition(snap)]}")
    title = Table.grid(expand=True)
    title.add_column(overflow="ellipsis", no_wrap=True)
    title.add_column(justify="right", no_wrap=True)
    title.add_row(
        Text.assemble((text.visible(snap.name), "bold"), (f"  {snap.kind} run {snap.run_id}", "dim")),
        Text.assemble(state, (f"  {words.age(elapsed)}" if elapsed >= 10 else "", "dim")),
    )
    parts: list[RenderableType] = [title]
    parts += [Text(note, style="cyan") for note in (words.change_note(snap), words.round_note(snap)) if note]
    parts += [Text(), _bar(snap), Text(words.sentence(snap)), Text(), _figures(snap, console)]
    return parts


def _bar(snap: Snapshot) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    row.add_column(justify="right", no_wrap=True)
    done = words.share_done(snap)
    row.add_row(
        ProgressBar(total=1.0, completed=done, style="bright_black", complete_style="green", finished_style="green"),
        Text(text.percent(snap.round_records_done, snap.round_records), style="bold"),
        f"{text.count(snap.round_records_done)} of {text.count(snap.round_records)} {words.records_word(snap)}",
    )
    return row


def _figures(snap: Snapshot, console: Console) -> RenderableType:
    rows: list[tuple[str, str]] = []
    unit, short = words.rate_unit(snap), console.height < SHORT
    if snap.rate_window_seconds is not None and words.condition(snap) == "working":
        rows.append(("now", f"{words.rate(snap.rate_now, unit)}, over the last {words.span(snap.rate_window_seconds)}"))
    if snap.rate_overall is not None and snap.worked_seconds is not None:
        rows.append(("overall", f"{words.rate(snap.rate_overall, unit)}, in {words.span(snap.worked_seconds)} of work"))
    if until := words.done_at(snap):
        rows.append(("done at", until))
    rows.append(("units", words.units_note(snap)))
    moved = f"{text.size(snap.bytes_in)} read, " if snap.bytes_in else ""
    if not short:
        rows.append(("bytes", f"{moved}{text.size(snap.output_bytes)} written"))
    counted = ", ".join(f"{text.count(count)} {name}" for name, count in words.facts(snap)[:4])
    if counted and not short:
        rows.append(("found", counted))
    if snap.engines:
        rows.append(("engines", ", ".join(f"{name}: {text.count(count)}" for name, count in snap.engines.items())))
    if snap.timeline is not None:
        signs = sparkline(snap.timeline.rates, max(console.width - 30, 10), unicode=console.encoding.startswith("utf"))
        top = words.rate(max(snap.timeline.rates), unit)
        rows.append(("since " + words.clock_time(snap.timeline.start), f"{signs} up to {top}"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in rows:
        table.add_row(name, said)
    return table


def _sections(snap: Snapshot, height: int, *, wide: bool) -> list[RenderableType]:
    """Stages, machines and quarantine in the lines that are left: beside each other or below each other."""
    made = [draw for rows, draw in ((snap.stages, _stages), (snap.nodes, _nodes)) if rows]
    stacked = (0 if not made else 1 if wide else len(made)) + bool(snap.quarantine)
    if not stacked:
        return []
    rows = min(max(height // stacked - 2, 1), ROWS)
    drawn = [draw(snap, rows) for draw in made]
    if wide and len(drawn) == 2:
        row = Table.grid(expand=True, padding=(0, 4))
        row.add_column(ratio=1)
        row.add_column(ratio=1)
        row.add_row(*drawn)
        drawn = [row]
    if snap.quarantine:
        drawn.append(_reasons(snap, rows))
    return [Padding(each, (1, 0, 0, 0)) for each in drawn]


def _table(*names: str) -> Table:
    """A table whose first column takes what is left; the others are numbers, to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="dim")
    table.add_column(names[0], ratio=1, overflow="ellipsis", no_wrap=True)
    for name in names[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _stages(snap: Snapshot, rows: int) -> RenderableType:
    shown = sorted(sorted(snap.stages, key=lambda stage: -stage.seconds)[:rows], key=snap.stages.index)
    table = _table(_some("stage", len(shown), len(snap.stages)), "time", "a record", "while at it", "at once")
    for stage in shown:
        table.add_row(
            text.words(stage.name),
            text.percent(stage.share, 1.0),
            words.brief(stage.seconds_per_record),
            words.rate(stage.records_per_busy_second),
            words.threads(stage.busy),
        )
    return table


def _nodes(snap: Snapshot, rows: int) -> RenderableType:
    table = _table(
        _some("machine", min(rows, len(snap.nodes)), len(snap.nodes)), "units", "under way", "now", "last sign"
    )
    for node in snap.nodes[:rows]:
        table.add_row(
            text.visible(node.host) or "not known",
            text.count(node.units),
            text.count(node.in_flight),
            words.rate(node.rate, words.rate_unit(snap)) if node.rate else text.NOTHING,
            words.age(node.last_sign_seconds),
        )
    return table


def _reasons(snap: Snapshot, rows: int) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="dim")
    table.add_column(
        _some("in quarantine", min(rows, len(snap.quarantine)), len(snap.quarantine)),
        no_wrap=True,
        overflow="ellipsis",
        min_width=16,
    )
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("for example", ratio=1, no_wrap=True, overflow="ellipsis")
    for reason in snap.quarantine[:rows]:
        example = reason.example
        said = (
            Text.assemble(text.visible(example.key), (f"  {text.visible(example.message)}", "dim")) if example else ""
        )
        table.add_row(text.words(reason.code), text.count(reason.count), said)
    return table


def _some(name: str, shown: int, there: int) -> str:
    """A column's name, and how many of its rows are shown where that is not all."""
    return name if shown >= there else f"{name} ({shown} of {there})"
