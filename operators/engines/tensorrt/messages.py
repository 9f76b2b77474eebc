"""What TensorRT says, passed on to Python's logging; its errors kept, since its calls return nothing but None."""

from __future__ import annotations

import logging
from collections import deque
from functools import cache
from typing import Any

from operators.engines.tensorrt.flavours import Flavour, library

KEPT = 8


@cache
def messages(flavour: Flavour) -> Any:
    """The one message receiver of a library in this process; the library keeps a bare pointer to it, so it never dies.

    Args:
        flavour: which library.

    Returns:
        An `ILogger` whose `errors` is a deque of the last error texts.

    Raises:
        EngineUnavailableError: the library cannot be used.
    """
    module = library(flavour)
    log = logging.getLogger(f"{__package__}.{flavour.name}")
    severity = module.ILogger.Severity
    levels = {
        severity.INTERNAL_ERROR: logging.ERROR,
        severity.ERROR: logging.ERROR,
        severity.WARNING: logging.WARNING,
        severity.INFO: logging.DEBUG,
    }

    class Messages(module.ILogger):  # type: ignore[misc, name-defined]
        """Receives what the library says; finer than INFO is dropped, there are thousands a second of it."""

        def __init__(self) -> None:
            module.ILogger.__init__(self)
            self.errors: deque[str] = deque(maxlen=KEPT)

        def log(self, severity: Any, msg: str) -> None:
            """Called by the library, from any of its threads."""
            level = levels.get(severity)
            if level is None:
                return
            if level == logging.ERROR:
                self.errors.append(msg)
            log.log(level, "%s", msg)

    return Messages()


def said(flavour: Flavour) -> str:
    """The errors since this was asked last, as one line; empties them."""
    errors = messages(flavour).errors
    text = "; ".join(errors)
    errors.clear()
    return text or "the library gave no reason"


def is_memory(text: str) -> bool:
    """Whether a message of the library speaks of too little memory."""
    lower = text.lower()
    return any(word in lower for word in ("outofmemory", "out of memory", "out_of_memory", "insufficient memory"))
