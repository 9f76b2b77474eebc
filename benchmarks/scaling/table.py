"""Figures as Markdown and as a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from benchmarks.scaling.measure import Figures
from benchmarks.scaling.watching import ROLES

GIB = 2**30
HOLDS = 0.9
"""Efficiency that is aimed at."""

PLOT_WIDTH, PLOT_HEIGHT, MARGIN = 640, 320, 56
COLOURS = ("#1b6ca8", "#c8553d", "#588157", "#6d597a", "#8a8a8a")


def scaling(figures: Sequence[Figures]) -> str:
    """Throughput against ideal, one row a number of GPUs, and what the machine did meanwhile."""
    travels = any(one.crop_bytes for one in figures)
    crops = ["crops MB/unit", "store GiB"] if travels else []
    head = ["GPUs", *crops, "ideal rec/s", "measured", "of ideal", "start-up s", "window s", "commits/s", "CPU ms/rec"]
    rows = [
        [
            str(one.gpus),
            *(
                [f"{one.crop_bytes * one.unit_records / 1e6:.0f}", _or_dash(one.store_bytes / GIB or None, "{:.0f}")]
                * travels
            ),
            f"{one.ideal:.1f}",
            f"{one.rate:.1f}",
            f"**{one.efficiency:.1%}**" if one.efficiency >= HOLDS else f"{one.efficiency:.1%}",
            f"{one.startup:.1f}",
            f"{one.window:.1f}",
            f"{one.commits:.2f}",
            _or_dash(one.cpu_ms, "{:.1f}"),
            *(_or_dash(one.cores.get(role), "{:.2f}") for role in ROLES),
            _or_dash(sum(one.processes.values()) or None, "{:.0f}"),
            _or_dash(sum(one.held.values()) / GIB or None, "{:.1f}"),
        ]
        for one in figures
    ]
    return markdown([*head, *(f"{role} cores" for role in ROLES), "processes", "GiB"], rows)


def losses(figures: Sequence[Figures]) -> str:
    """Where a worker's time went that was not slept as asked; milliseconds a unit."""
    head = ["GPUs", "unit s", "naps late", "between naps", "closing", "handing over", "opening", "sum", "of the unit"]
    rows = []
    for one in figures:
        if one.loss is None:
            continue
        loss = one.loss
        parts = (loss.late, loss.between, loss.closing, loss.handing, loss.opening, loss.total)
        share = loss.total / (loss.total + one.unit_seconds)
        rows.append(
            [str(one.gpus), f"{one.unit_seconds:.2f}", *(f"{1000 * part:.0f}" for part in parts), f"{share:.1%}"]
        )
    return markdown(head, rows)


def units(figures: Sequence[Figures]) -> str:
    """Efficiency by how long a unit lasts: a row a size, a column a number of GPUs."""
    series = sorted({(one.placement, one.gpus) for one in figures})
    sizes = sorted({one.unit_records for one in figures}, reverse=True)
    found = {(one.placement, one.gpus, one.unit_records): one for one in figures}
    rows = []
    for size in sizes:
        cells = []
        for placement, gpus in series:
            one = found.get((placement, gpus, size))
            cells.append(_cell(one) if one else "-")
        rows.append([str(size), *cells])
    return markdown(["records a unit", *(f"{placement}, {gpus} GPUs" for placement, gpus in series)], rows)


def smallest(figures: Sequence[Figures], holds: float = HOLDS) -> str:
    """For each placement and number of GPUs, the shortest unit from which on all longer ones keep to the aim."""
    lines = []
    for placement, gpus in sorted({(one.placement, one.gpus) for one in figures}):
        mine = sorted(
            (one for one in figures if (one.placement, one.gpus) == (placement, gpus)),
            key=lambda one: one.unit_seconds,
            reverse=True,
        )
        held = None
        for one in mine:
            if one.efficiency < holds:
                break
            held = one
        said = f"from units of {held.unit_seconds:.2f} s on" if held else "with none of these"
        lines.append(f"- {placement}, {gpus} GPUs: {holds:.0%} of ideal {said}")
    return "\n".join(lines)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [" | ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *rows)]
    rule = " | ".join("-" * (width - 1) + ":" for width in widths)
    return "\n".join(f"| {line} |" for line in (lines[0], rule, *lines[1:]))


def drawing(series: Sequence[tuple[str, Sequence[Figures]]]) -> str:
    """An SVG: efficiency by the number of GPUs, on a logarithmic axis; a line for each named series."""
    most = max(one.gpus for _, figures in series for one in figures)
    steps = max(1, (most - 1).bit_length())

    def x(gpus: int) -> float:
        return MARGIN + (PLOT_WIDTH - 2 * MARGIN) * log2(gpus) / steps

    def y(share: float) -> float:
        return MARGIN / 2 + (PLOT_HEIGHT - 1.5 * MARGIN) * (1 - min(share, 1.0))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PLOT_WIDTH} {PLOT_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{PLOT_WIDTH}" height="{PLOT_HEIGHT}" fill="white"/>'
    ]
    for tenth in range(0, 11, 2):
        level = y(tenth / 10)
        parts.append(
            f'<line x1="{MARGIN}" x2="{PLOT_WIDTH - MARGIN}" y1="{level:.1f}" y2="{level:.1f}" stroke="#ddd"/>'
            f'<text x="{MARGIN - 8}" y="{level + 4:.1f}" text-anchor="end">{tenth * 10} %</text>'
        )
    ticks = [(x(2**step), 2**step) for step in range(steps + 1)]
    low = PLOT_HEIGHT - MARGIN + 18
    parts += [f'<text x="{place:.1f}" y="{low}" text-anchor="middle">{gpus}</text>' for place, gpus in ticks]
    parts.append(
        f'<line x1="{MARGIN}" x2="{PLOT_WIDTH - MARGIN}" y1="{y(HOLDS):.1f}" y2="{y(HOLDS):.1f}" stroke="#999" '
        'stroke-dasharray="4 4"/>'
        f'<text x="{PLOT_WIDTH / 2}" y="{PLOT_HEIGHT - 20}" text-anchor="middle">GPUs (logical)</text>'
    )
    for place, (name, figures) in enumerate(series):
        colour = COLOURS[place % len(COLOURS)]
        points = [(f"{x(one.gpus):.1f}", f"{y(one.efficiency):.1f}") for one in figures]
        line = " ".join(",".join(point) for point in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across}" cy="{down}" r="3" fill="{colour}"/>' for across, down in points]
        parts.append(f'<text x="{MARGIN + 8}" y="{y(0.3) + 16 * place:.1f}" fill="{colour}">{name}</text>')
    return "".join([*parts, "</svg>\n"])


def _cell(one: Figures) -> str:
    share = f"**{one.efficiency:.1%}**" if one.efficiency >= HOLDS else f"{one.efficiency:.1%}"
    return f"{one.unit_seconds:.2f} s: {share}"


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
