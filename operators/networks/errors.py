"""What is said of a state dict that no known architecture can have written."""

from __future__ import annotations


class UnknownArchitectureError(ValueError):
    """A state dict that fits no architecture; the message says what it looks like and what disagrees."""
