"""Sends messages, each addressee in a thread of its own, and says who could not be told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.notify.addressees import Addressee


@dataclass(frozen=True)
class Message:
    """What is sent.

    Attributes:
        title: one line.
        text: for everybody who shows plain text or makes something of it.
        html: for mail.
        tone: `good`, `mixed`, `open` or `bad`, as `jobs.summary.headline.tone`.
    """

    title: str
    text: str
    html: str
    tone: str


def send(message: Message, to: list[Addressee], seconds: float) -> dict[str, str]:
    """Tell everybody at once.

    Args:
        message: what is sent.
        to: see `addressees`.
        seconds: most for all of them; who was not reached by then is left behind.

    Returns:
        By the addressee's name, why it was not told; empty where all were.
    """
    found: dict[str, str] = {}
    threads = []
    for one in to:
        thread = threading.Thread(target=_into(found, one, message), name=f"notify-{one.scheme}", daemon=True)
        thread.start()
        threads.append((one, thread))
    end = time.monotonic() + seconds
    for one, thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
        if thread.is_alive():
            found.setdefault(one.name, f"no answer within {seconds:.0f} s")
    return {name: why for name, why in list(found.items()) if why}


def _into(found: dict[str, str], one: Addressee, message: Message) -> Callable[[], None]:
    def work() -> None:
        why = _send(one, message)
        found.setdefault(one.name, why)

    return work


def _send(one: Addressee, message: Message) -> str:
    """Why it could not be sent; empty where it was."""
    import apprise  # noqa: PLC0415  an extra

    kinds = {"good": apprise.NotifyType.SUCCESS, "bad": apprise.NotifyType.FAILURE}
    body, form = (message.html, apprise.NotifyFormat.HTML) if one.mail else (message.text, apprise.NotifyFormat.TEXT)
    said = _Said()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(said)
    try:
        sent = one.service.notify(
            body=body,
            title=message.title,
            notify_type=kinds.get(message.tone, apprise.NotifyType.WARNING),
            body_format=form,
        )
    except Exception as error:  # noqa: BLE001  whatever a plugin raises is no reason to fail
        return f"{type(error).__name__}: {error}"
    finally:
        logger.removeHandler(said)
    return "" if sent else said.text or "it was refused, and Apprise says no more"


class _Said(logging.Handler):
    """Keeps what Apprise logs in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one."""
        if record.thread == self._thread:
            self._lines.append(record.getMessage())

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join(line.strip() for line in self._lines)[:400]
