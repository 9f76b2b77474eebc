"""Checkpoint files: read as data, so that nothing of a file is ever imported or called."""

from operators.checkpoints.errors import CheckpointError
from operators.checkpoints.reading import read

__all__ = ["CheckpointError", "read"]
