"""How long a run was worked on."""

from __future__ import annotations

from datetime import datetime

from pipeline.ledger import Commit

IDLE_SECONDS = 600.0
"""A pause between commits longer than this is time in which nobody worked on the run."""


class Clock:
    """Time in which a run was worked on: the union of its units' spans, pauses between sessions left out."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []

    def add(self, commit: Commit) -> None:
        """Take one unit."""
        start, end = (datetime.fromisoformat(stamp).timestamp() for stamp in (commit.started, commit.finished))
        self._spans.append((start, end))

    def wall(self) -> float:
        """Seconds; 0 without units."""
        total, reached = 0.0, float("-inf")
        for start, end in sorted(self._spans):
            total += max(0.0, end - max(start, reached))
            if 0.0 < start - reached < IDLE_SECONDS:
                total += start - reached
            reached = max(reached, end)
        return total
