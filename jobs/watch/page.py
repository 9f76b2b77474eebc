"""The page as HTML: whole, and in parts that its script puts in the place of the old ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from jobs.report import text
from jobs.report.charts import bar
from jobs.report.page import asset, environment, policy
from jobs.watch import words
from jobs.watch.chart import throughput
from jobs.watch.loop import Seen
from jobs.watch.snapshot import Snapshot

PARTS = ("summary", "chart", "figures", "stages", "nodes", "about", "quarantine", "rows")
"""Parts of the page, in order; `notice` and `live` stand apart."""


class Page:
    """Draws what there is to see.

    Args:
        scrub: takes secrets out of a problem's words; snapshots come without.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self._templates = environment("jobs.watch")
        self._templates.filters.update(
            rate=words.rate, span=words.span, age=words.age, brief=words.brief, threads=words.threads
        )
        self._templates.globals.update(bar=bar, words_of=words, say=text)
        self._style = asset(self._templates, "watch.css")
        self._script = asset(self._templates, "watch.js")
        self._drawn: tuple[int, str, dict[str, str]] = (-1, "", {})

    @property
    def policy(self) -> str:
        """Content Security Policy of the page: its own style and script by their hashes, and its own JSON."""
        return f"{policy(self._style, self._script)}; connect-src 'self'; frame-ancestors 'none'"

    def whole(self, seen: Seen) -> str:
        """The page, complete without its script, which only keeps it fresh."""
        return self._templates.get_template("watch.html.j2").render(
            title=self._title(seen), parts=self._parts(seen), order=PARTS, style=self._style, script=self._script
        )

    def parts(self, seen: Seen) -> dict[str, object]:
        """What the script asks for: every part as HTML, and how many seconds ago the ledger was read."""
        age = time.monotonic() - seen.at if seen.snapshot is not None else None
        return {"title": self._title(seen), "age": age, "parts": self._parts(seen)}

    def _parts(self, seen: Seen) -> dict[str, str]:
        trouble = seen.trouble(self._scrub)
        if self._drawn[:2] != (seen.version, trouble):
            self._drawn = (seen.version, trouble, dict(self._draw(seen, trouble)))
        return self._drawn[2]

    def _draw(self, seen: Seen, trouble: str) -> Iterator[tuple[str, str]]:
        snap = seen.snapshot
        yield "notice", self._block("notice", trouble=trouble, snap=snap)
        yield "live", _announcement(snap, trouble)
        chart = (
            throughput(snap.timeline, words.records_word(snap), words.rate_unit(snap))
            if snap is not None and snap.timeline
            else ""
        )
        for part in PARTS:
            yield part, self._block(part, snap=snap, chart=chart) if snap is not None else ""

    def _block(self, name: str, **values: object) -> str:
        module = self._templates.get_template("parts.watch.j2").module
        return str(getattr(module, name)(**values)).strip()

    def _title(self, seen: Seen) -> str:
        snap = seen.snapshot
        if snap is None:
            return "facejobs"
        if words.condition(snap) == "working":
            return f"{text.percent(snap.round_records_done, snap.round_records)} {text.visible(snap.name)}"
        return f"{text.visible(snap.name)}: {words.state_word(snap)}"


def _announcement(snap: Snapshot | None, trouble: str) -> str:
    """What a screen reader says by itself: it changes with the state and with every tenth of the work, no oftener."""
    if trouble:
        return "Storage does not answer; it is asked again."
    if snap is None:
        return ""
    if words.condition(snap) != "working":
        return f"{text.visible(snap.name)}: {words.state_word(snap)}"
    return f"{int(10 * words.share_done(snap))}0 percent done"
