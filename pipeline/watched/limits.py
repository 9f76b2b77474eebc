"""How long and how much a record may take before its process is ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a watched worker.

    Attributes:
        record_seconds: of one record in one stage; what it waits for storage does not count.
        unit_seconds: of a whole unit, whose records go one by one after that; and then of one record where it is alone
            in a batch stage.
        memory: bytes that the worker's process may hold; 0 leaves it to what the machine has.
        storage_seconds: a read or a write that takes longer stops the run, of a record or of the ledger. Storage has
            time limits of its own; this is for what gets past them, such as a network disk that hangs.
    """

    record_seconds: float = 600.0
    unit_seconds: float = 7200.0
    memory: int = 0
    storage_seconds: float = 1800.0
