"""How a worker hears that it is to stop, and says how far it is; the worker is in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from operators.training.loop import Row


class Contact(Protocol):
    """A worker's contact with the command that drives the training."""

    def stopping(self) -> bool:
        """Whether it is to stop after this step; asked after each."""

    def tell(self, done: int, row: Row | None) -> None:
        """So many steps are done; with the row of the curve, if one was written."""

    def say(self, text: str) -> None:
        """Something that people should know."""


class Near:
    """Contact within one process.

    Args:
        stopping: see `Contact`, and so on.
        tell: likewise.
        say: likewise.
    """

    def __init__(
        self, stopping: Callable[[], bool], tell: Callable[[int, Row | None], None], say: Callable[[str], None]
    ) -> None:
        self._stopping = stopping
        self._tell = tell
        self._say = say

    def stopping(self) -> bool:
        """See `Contact`."""
        return self._stopping()

    def tell(self, done: int, row: Row | None) -> None:
        """See `Contact`."""
        self._tell(done, row)

    def say(self, text: str) -> None:
        """See `Contact`."""
        self._say(text)
