"""The Ray runner: units through actor pools of Ray Data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.errors import StorageError, WorkerError
from pipeline.parcel import Parcel, Receipt
from pipeline.plan import UnitRef
from pipeline.runners.contract import Placement, Pools
from pipeline.runners.pools import least_cpus, pools_for
from pipeline.runners.ray_cluster import cluster
from pipeline.worker import Worker, WorkerSpec

TASK_RETRIES = 20
"""How often a unit is tried again after the process that worked on it died; Ray Data's own default is for ever.

`pipeline.suspects` needs two tries to notice and two more for each record that ends processes. What still dies after
twenty dies outside of its records."""

LARGEST_PARCEL = 2**31 - 2**20
"""Bytes of a packed parcel; Arrow counts what one value of a binary column holds with 31 bits."""


class RayWorker:
    """A `Worker` as Ray Data calls it: bytes in, bytes out.

    One that cannot be set up says so in the receipt of the first unit it is given, which ends the run: Ray would put
    a traceback of its own around an exception here.
    """

    def __init__(self, spec: WorkerSpec, segments: Sequence[int]) -> None:
        self._state = self._message = ""
        try:
            self._worker = Worker(spec, segments)
        except (StorageError, WorkerError) as error:
            self._state = "storage" if isinstance(error, StorageError) else "worker"
            self._message = str(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Advance the packed parcel of a row."""
        parcel = Parcel.unpack(row["parcel"])
        if parcel.receipt is not None:
            return row
        if self._message:
            return _stranded(parcel, self._message, self._state)
        parcel = self._worker(parcel)
        try:
            packed = parcel.pack()
        except Exception as error:  # noqa: BLE001 - Ray would drop the unit without a word
            return _stranded(parcel, f"cannot travel on ({error})")
        if len(packed) > LARGEST_PARCEL:
            return _stranded(
                parcel,
                f"its {parcel.ref.records} records hold {len(packed) / 2**30:.1f} GiB, more than can travel between "
                "workers; set run.unit_records lower, or run.placement: fused",
            )
        return {"parcel": packed}


def _stranded(parcel: Parcel, message: str, state: str = "error") -> dict[str, Any]:
    """A unit that cannot go on: its receipt says why, and it stays uncommitted."""
    parcel.end(Receipt(parcel.ref.unit_id, state, message=message))
    return {"parcel": parcel.pack()}


class RayRunner:
    """Runs on a private cluster of this machine, or on the one the job names."""

    def __init__(self, pools: Pools, task_retries: int = TASK_RETRIES) -> None:
        self._pools = pools
        self._task_retries = task_retries

    def run(self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement) -> Iterator[Receipt]:
        """See `Runner.run`. Raises RunnerError when the cluster cannot hold one worker of each kind."""
        workflow = spec.workflow()
        with cluster(self._pools.address, least_cpus(workflow, placement)) as room:
            import ray.data  # noqa: PLC0415

            pools = pools_for(workflow, placement, room, self._pools.workers, len(refs))
            rows = [{"parcel": Parcel(ref).pack()} for ref in refs]
            data = ray.data.from_items(rows, override_num_blocks=len(rows))
            for pool in pools:
                with warnings.catch_warnings():
                    # Ray 2.60 announces the end of such arguments, but has no other way to bound the retries.
                    warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
                    data = data.map(
                        RayWorker,
                        fn_constructor_args=(spec, pool.segments),
                        compute=ray.data.ActorPoolStrategy(size=pool.size),
                        num_cpus=pool.needs.cpus,
                        num_gpus=pool.needs.gpus or None,
                        memory=pool.needs.memory or None,
                        max_restarts=-1,
                        max_task_retries=self._task_retries,
                    )
            for row in data.iter_rows():
                receipt = Parcel.unpack(row["parcel"]).receipt
                assert receipt is not None
                yield receipt
