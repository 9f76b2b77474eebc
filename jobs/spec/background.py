"""The block `background`: a network that is run over the whole picture."""

from __future__ import annotations

from jobs.spec.common import Block, Text


class Background(Block):
    """What is made of the picture around the faces."""

    model: Text
    """Name of the model that the whole picture goes through."""
