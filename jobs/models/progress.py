"""What a person sees while a file is fetched: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from jobs.console import LINE_SECONDS, Output
from jobs.models.download import Show
from jobs.models.pull import Watch


def watched(out: Output) -> Watch:
    """Whoever reads a command's output, as the one who is told."""
    return Watch(lambda title: shown(out, title), out.log)


@contextmanager
def shown(out: Output, title: str) -> Iterator[Show]:
    """A callback that shows how far a download has come.

    Args:
        out: where lines go when nobody watches a terminal.
        title: what is being fetched.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(out, title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(out: Output, title: str) -> Show:
    last = time.monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            out.log(f"{title}: {done / 1e6:.1f} MB" + (f" of {total / 1e6:.1f} MB" if total else ""))

    return show
