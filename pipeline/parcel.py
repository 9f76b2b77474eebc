"""What travels between driver and workers: a unit in flight, and the receipt for it."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.ledger import Attempt, Commit
from pipeline.plan import UnitRef
from pipeline.records import Item, Unit


@dataclass(frozen=True)
class Receipt:
    """What a worker tells the driver of a unit.

    Attributes:
        unit_id: the unit.
        state: `done`; `already` committed before; `lost` to another attempt's commit; `storage`, `worker` or `error`
            when it was given up without a commit, for the fault of storage, of this worker, or of facejobs.
        records: records in.
        ok: records with outputs.
        codes: quarantined records by code.
        counts: what the job kind counts.
        seconds: wall time of the unit in this worker.
        message: why it was given up.
        stages: seconds by stage, summed over threads.
        output_bytes: bytes of the unit's outputs.
        attempt: which try at the unit it was; 0 where that is not known.
        finished: when it was committed, ISO 8601, UTC.
    """

    unit_id: str
    state: str
    records: int = 0
    ok: int = 0
    codes: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    output_bytes: int = 0
    attempt: int = 0
    finished: str = ""


@dataclass
class Parcel:
    """A unit in flight: what travels between the workers of a staged placement.

    `receipt` is set when there is nothing left to do for it. `progress` has the keys of what stages kept on the way.
    """

    ref: UnitRef
    unit: Unit | None = None
    attempt: Attempt | None = None
    items: list[Item] = field(default_factory=list)
    started: str = ""
    clock: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    progress: set[str] = field(default_factory=set)
    receipt: Receipt | None = None

    def end(self, receipt: Receipt) -> None:
        """Nothing is left to do; only the receipt travels on."""
        self.receipt, self.unit, self.items = receipt, None, []

    def pack(self) -> bytes:
        """Everything but what can be made again from the source."""
        for item in self.items:
            if item.payload is not None:
                item.payload.release()
        return pickle.dumps(self, protocol=5)

    @staticmethod
    def unpack(data: bytes) -> Parcel:
        """The reverse; only ever fed what `pack` made in the same run."""
        parcel: Parcel = pickle.loads(data)  # noqa: S301
        return parcel


def receipt_of(commit: Commit, state: str, seconds: float) -> Receipt:
    """The receipt for a unit that has a commit."""
    return Receipt(
        unit_id=commit.unit_id,
        state=state,
        records=commit.records,
        ok=commit.ok,
        codes=dict(Counter(row.code for row in commit.quarantined)),
        counts=dict(commit.counts),
        seconds=seconds,
        stages=dict(commit.seconds),
        output_bytes=commit.output_bytes,
        attempt=commit.attempt,
        finished=commit.finished,
    )
