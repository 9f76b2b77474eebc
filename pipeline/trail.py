"""Saying which records are being worked on, so that whoever watches a process knows where it ended or stands still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.ledger import Attempt
from pipeline.records import Failure


class Trail(Protocol):
    """What a worker says while it works; called from all of its threads."""

    def begin(self, keys: Sequence[str], stage: str, *, batch: bool = False) -> None:
        """A stage takes up these records: one, or all that a batch stage is given."""
        ...

    def end(self, keys: Sequence[str]) -> None:
        """The stage has let go of them."""
        ...

    def waits(self, key: str, *, begins: bool) -> None:
        """A record begins, or ends, to wait for storage; time that passes so is not its own."""
        ...

    def attempt(self, attempt: Attempt) -> None:
        """An attempt at a unit was marked."""
        ...


class NoTrail:
    """For a worker that nobody watches."""

    def begin(self, keys: Sequence[str], stage: str, *, batch: bool = False) -> None:
        """Nothing."""

    def end(self, keys: Sequence[str]) -> None:
        """Nothing."""

    def waits(self, key: str, *, begins: bool) -> None:
        """Nothing."""

    def attempt(self, attempt: Attempt) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Known:
    """What is known of a unit from tries that ended with their process.

    Attributes:
        failures: of records that ended one, by key.
        careful: records go through one at a time, so that the next end has one culprit.
        deaths: how many processes ended over the unit and were understood: they leave marks of attempts as well.
    """

    failures: Mapping[str, Failure] = field(default_factory=dict)
    careful: bool = False
    deaths: int = 0


@contextmanager
def at_work(trail: Trail, keys: Sequence[str], stage: str, *, batch: bool = False) -> Iterator[None]:
    """A stage at work on these records."""
    trail.begin(keys, stage, batch=batch)
    try:
        yield
    finally:
        trail.end(keys)


@contextmanager
def waiting(trail: Trail, key: str) -> Iterator[None]:
    """A record that waits for storage."""
    trail.waits(key, begins=True)
    try:
        yield
    finally:
        trail.waits(key, begins=False)
