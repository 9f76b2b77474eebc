"""Settings of the restorer `anonymize` as a job file writes them."""

from __future__ import annotations

from jobs.spec.common import Block, Text


class AnonymizeSettings(Block):
    """How faces are made unrecognisable."""

    prior: Text | None = None
    """Name of the model that makes the faces of the method generated."""
