"""`facejobs status --watch`: on a terminal, in a log, and as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone

from rich.console import Console
from rich.live import Live

from jobs.console import Output
from jobs.watch import words
from jobs.watch.loop import Loop, Seen
from jobs.watch.snapshot import Snapshot
from jobs.watch.terminal import screen
from jobs.watch.watcher import Watcher

TICK = 1.0
"""Seconds between two drawings on a terminal."""


def watch(watcher: Watcher, every: float, out: Output, *, as_json: bool) -> None:
    """Show a run until it is complete or somebody presses Ctrl-C.

    Args:
        watcher: takes snapshots.
        every: seconds between two.
        out: where lines go.
        as_json: one JSON object a line in place of words.
    """
    console = Console(highlight=False)
    try:
        with Loop(watcher, every) as loop:
            if as_json:
                _lines(loop, out, lambda snap: json.dumps(snap.to_json()))
            elif console.is_terminal and not console.is_dumb_terminal and sys.stdout.isatty():
                _screen(loop, out, console)
            else:
                _lines(loop, out, _stamped)
    except KeyboardInterrupt:
        return


def _over(seen: Seen) -> bool:
    snap = seen.snapshot
    if snap is None or seen.problem or snap.commits_unread:
        return False
    return snap.state in ("complete", "closed") and snap.final


def _lines(loop: Loop, out: Output, line: Callable[[Snapshot], str]) -> None:
    seen, troubled = Seen(), ""
    while not _over(seen):
        newer = loop.wait(seen.version, TICK)
        trouble = newer.trouble(out.scrubber.scrub)
        if trouble and not troubled:
            out.log(trouble)
        troubled = trouble
        if newer.version > seen.version and newer.snapshot is not None and not newer.problem:
            out.say(line(newer.snapshot))
        seen = newer


def _stamped(snap: Snapshot) -> str:
    return f"{datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')} {words.plain_line(snap)}"


def _screen(loop: Loop, out: Output, console: Console) -> None:
    scrub = out.scrubber.scrub
    seen = Seen()
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while not _over(seen):
                seen = loop.wait(seen.version, TICK)
                elapsed = time.monotonic() - seen.at if seen.snapshot is not None else 0.0
                live.update(screen(seen, scrub, console, elapsed), refresh=True)
    finally:
        # The other screen is gone by now; what it showed last stays where the command was given.
        if seen.snapshot is not None:
            console.print(screen(seen, scrub, console))
