"""What can go wrong when an engine is prepared or run."""

from __future__ import annotations


class EngineError(RuntimeError):
    """An engine cannot be prepared, or failed while it ran; the message says which, why, and what to do."""


class EngineUnavailableError(EngineError):
    """This machine lacks what the engine needs: a library, a device, a version."""


class EngineRefusedError(EngineError):
    """The engine ran, and the parity gate found its output wrong."""


class EngineMemoryError(EngineError):
    """There was not enough memory for the batch; a smaller one may pass."""
