"""How long is waited for what comes after a command's own work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Most seconds for each step.

    Attributes:
        ledger: for reading the run's commits.
        writing: for looking into, and writing to, one place.
        sending: for all messages together.
    """

    ledger: float
    writing: float
    sending: float


USUAL = Patience(ledger=120.0, writing=60.0, sending=45.0)
HASTY = Patience(ledger=5.0, writing=8.0, sending=10.0)
"""After a signal: whoever sent it waits, and then kills."""
