"""A call that is given a time, and left behind when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLongError(Exception):
    """It did not come to an end in its time."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call returns or raises, if it does within so many seconds.

    It runs in a thread that does not keep the process alive: whoever waits for storage or for a mail server cannot be
    stopped, only left.

    Raises:
        TooLongError: the time is over.
    """
    found: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(call())
        except BaseException as error:  # noqa: BLE001  raised again by who waits
            failed.append(error)

    thread = threading.Thread(target=work, name="bounded", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found:
        raise TooLongError(f"no end after {seconds:.0f} s")
    return found[0]
