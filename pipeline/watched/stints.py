"""What a watched worker is at, put together from what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.watched.messages import Begin, End, Marked, Said, Wait


@dataclass(slots=True)
class Stint:
    """A record in a stage.

    Attributes:
        stage: its name.
        batch: whether the stage has many records at once.
        since: when it began; monotonic seconds, as all times here.
        waited: seconds that it has waited for storage.
        waits_since: since when it waits for storage now; None when it does not.
        held_before: bytes that the process held when it was last looked at before.
    """

    stage: str
    batch: bool
    since: float
    held_before: int = 0
    waited: float = 0.0
    waits_since: float | None = None

    def worked(self, now: float) -> float:
        """Seconds it has been at it, without those it waited for storage."""
        waits = 0.0 if self.waits_since is None else now - self.waits_since
        return now - self.since - self.waited - waits


class Stints:
    """Which records are in which stage now.

    Attributes:
        marks: attempts that were marked.
        held: bytes that the process held when it was last looked at; whoever looks sets it.
        heard: when the worker last said anything.
    """

    def __init__(self) -> None:
        self._at: dict[str, Stint] = {}
        self.marks = 0
        self.held = 0
        self.heard = 0.0

    @property
    def at(self) -> Mapping[str, Stint]:
        """By key."""
        return self._at

    def note(self, said: Said, now: float) -> None:
        """Take in what the worker says; what is no news of records is passed over."""
        self.heard = now
        if isinstance(said, Begin):
            for key in said.keys:
                self._at[key] = Stint(said.stage, said.batch, now, self.held)
        elif isinstance(said, End):
            for key in said.keys:
                self._at.pop(key, None)
        elif isinstance(said, Wait) and said.key in self._at:
            stint = self._at[said.key]
            if said.begins:
                stint.waits_since = now
            elif stint.waits_since is not None:
                stint.waited += now - stint.waits_since
                stint.waits_since = None
        elif isinstance(said, Marked):
            self.marks += 1

    def overdue(self, now: float, record_seconds: float, unit_seconds: float) -> str | None:
        """A record that has taken too long: in a stage of its own, or alone in a batch stage."""
        for key, stint in self._at.items():
            limit = unit_seconds if stint.batch else record_seconds
            alone = not stint.batch or len(self._at) == 1
            if alone and stint.worked(now) > limit:
                return key
        return None

    def waiting(self, now: float, seconds: float) -> str | None:
        """A record that has waited longer than this for storage."""
        for key, stint in self._at.items():
            if stint.waits_since is not None and now - stint.waits_since > seconds:
                return key
        return None
