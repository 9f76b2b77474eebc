"""What a runner is told, and what it gives back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.parcel import Receipt
from pipeline.plan import UnitRef
from pipeline.watched.limits import Limits
from pipeline.worker import WorkerSpec

Placement = Literal["auto", "fused", "staged"]
"""All segments in one worker, or each in workers of its own; `auto` leaves it to the runner."""


@dataclass(frozen=True)
class Pools:
    """The workers of a run.

    Attributes:
        workers: most of each segment; `None` means as many as the cluster has room for.
        address: of the cluster; `None` means a private one.
        limits: past which a worker's process is ended; `None` has the work done in the runner's own processes, where a
            record that crashes takes the process with it.
        stall_seconds: after so long without a unit's end, and with no worker at work, a cluster stands still.
    """

    workers: int | None = None
    address: str | None = None
    limits: Limits | None = None
    stall_seconds: float = 300.0


class Runner(Protocol):
    """Brings units to workers and receipts back, in whatever order they finish."""

    def run(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement, drain: threading.Event
    ) -> Iterator[Receipt]:
        """Process units.

        Once `drain` is set no unit is begun any more: those under way are finished, and of the others there is no
        receipt, or one that says `released`. Closing the iterator stops the work at once; units in flight stay
        uncommitted.
        """
        ...
