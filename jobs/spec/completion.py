"""Settings of the restorer `completion` as a job file writes them."""

from __future__ import annotations

from jobs.spec.common import Block, Text


class CompletionSettings(Block):
    """What of a face is made anew, and by which network."""

    network: Text
    """Name of the model that completes faces."""
    occlusion: Text | None = None
    """Name of the model that sees what hides a face; null where masks come from elsewhere."""
