"""The local runner: everything in this process, for tests and a handful of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.parcel import Parcel, Receipt
from pipeline.plan import UnitRef
from pipeline.runners.contract import Placement
from pipeline.worker import Worker, WorkerSpec


class LocalRunner:
    """One unit after the other, fused unless staged is asked for, which packs and unpacks as a cluster would."""

    def run(self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement) -> Iterator[Receipt]:
        """See `Runner.run`."""
        workers = [Worker(spec)] if placement != "staged" else [Worker(spec, [index]) for index in range(3)]
        for ref in refs:
            parcel = Parcel(ref)
            for worker in workers:
                parcel = worker(parcel)
                if len(workers) > 1:
                    parcel = Parcel.unpack(parcel.pack())
            assert parcel.receipt is not None
            yield parcel.receipt
