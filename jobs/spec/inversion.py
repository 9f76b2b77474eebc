"""Settings of the restorer `inversion` as a job file writes them."""

from __future__ import annotations

from jobs.spec.common import Block, Text


class InversionSettings(Block):
    """How a face is searched for among those that a prior can make."""

    prior: Text = "mobilestylegan-ffhq"
    """Name of the model whose pictures are searched."""
