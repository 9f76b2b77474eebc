"""An error that a command ends with: what to say, and which exit code."""

from __future__ import annotations

from jobs.exits import Exit


class CommandError(Exception):
    """Ends a command with a message and an exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
