"""What is said when a model cannot be fetched."""

from __future__ import annotations

from operators.models import ModelFileError


class NotFetchedError(ModelFileError):
    """No place gave the file; the message names each and why, and says what to do on a machine without a network."""
