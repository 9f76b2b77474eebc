"""What a watched worker and its watcher say to each other, over one pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pipeline.ledger import Attempt
from pipeline.trail import Known


@dataclass(frozen=True, slots=True)
class Task:
    """To the worker: a unit, packed, and what is known of it."""

    parcel: bytes
    known: Known


@dataclass(frozen=True, slots=True)
class Ready:
    """From the worker: it is set up. With a reason, it cannot be: `storage`, `worker` or `error`."""

    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """See `Trail.begin`."""

    keys: tuple[str, ...]
    stage: str
    batch: bool


@dataclass(frozen=True, slots=True)
class End:
    """See `Trail.end`."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """See `Trail.waits`."""

    key: str
    begins: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """See `Trail.attempt`."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Done:
    """From the worker: the unit, packed again; or why it cannot travel on."""

    parcel: bytes = b""
    problem: str = ""


Said = Ready | Begin | End | Wait | Marked | Done


class PipeTrail:
    """A trail that is written into a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, message: Said) -> None:
        """Send one message; threads take turns. Where nobody listens any more this process ends."""
        with self._lock:
            try:
                self._pipe.send(message)
            except OSError:
                # Raised in a stage it would be taken for a failure of the record, and so for every one that follows.
                os._exit(1)

    def begin(self, keys: Sequence[str], stage: str, *, batch: bool = False) -> None:
        """See `Trail.begin`."""
        self.say(Begin(tuple(keys), stage, batch))

    def end(self, keys: Sequence[str]) -> None:
        """See `Trail.end`."""
        self.say(End(tuple(keys)))

    def waits(self, key: str, *, begins: bool) -> None:
        """See `Trail.waits`."""
        self.say(Wait(key, begins))

    def attempt(self, attempt: Attempt) -> None:
        """See `Trail.attempt`."""
        self.say(Marked(attempt))
