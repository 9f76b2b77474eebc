"""What a runner is told, and what it gives back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Depth:
    """Units at one part of the workflow.

    Attributes:
        waiting: that could go there, and are not there yet.
        at_work: that a worker has in its hands.
    """

    waiting: int
    at_work: int


@dataclass(frozen=True)
class Signs:
    """What a runner knows of its workers at this moment.

    Attributes:
        depths: where the units are that have no receipt yet, by part of the workflow: `front`, `middle` and `back` of
            a staged placement, `all` of a fused one, in the order in which units pass them; empty where that is not
            known.
        idle: seconds since a worker was last known to be at work; None where that is not known.
    """

    depths: Mapping[str, Depth] = field(default_factory=dict)
    idle: float | None = None


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

    def signs(self) -> Signs:
        """What is known of the workers now; another thread than the one that takes the receipts may ask."""
        ...
