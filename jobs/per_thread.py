"""One instance a thread, for networks that threads cannot share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(Generic[T]):
    """Makes an instance when a thread first asks for it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> T:
        """This thread's instance."""
        if not hasattr(self._local, "instance"):
            self._local.instance = self._make()
        instance: T = self._local.instance
        return instance
