"""The block `notify`: who is told how a run ended."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.common import Block, Text, Texts


class Notify(Block):
    """Messages at the end, and the one-page summary."""

    urls: Annotated[Texts, Field(repr=False)] = ()
    """Apprise URLs (mailto://, json://host/path, slack://, ...); values may hold ${NAME} or ${NAME:-default}."""
    when: Literal["always", "work", "problem"] = "problem"
    """At every end; when there was something to do, or a problem; or only when the exit code is not 0."""
    summary: Text | None = None
    """Folder for summary.txt, summary.json and summary.html of the last command; null: in the run's own folder only."""
