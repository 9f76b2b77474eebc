"""What a runner is told, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.parcel import Receipt
from pipeline.plan import UnitRef
from pipeline.worker import WorkerSpec

Placement = Literal["auto", "fused", "staged"]
"""All segments in one worker, or each in workers of its own; `auto` leaves it to the runner."""


@dataclass(frozen=True)
class Pools:
    """How many workers of each segment; `None` means as many as the cluster has room for."""

    workers: int | None = None
    address: str | None = None


class Runner(Protocol):
    """Brings units to workers and receipts back, in whatever order they finish."""

    def run(self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement) -> Iterator[Receipt]:
        """Process units. Closing the iterator stops the work; units in flight stay uncommitted."""
        ...
