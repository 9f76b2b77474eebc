"""The Ray runner: units through actor pools of Ray Data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.errors import RunnerError
from pipeline.parcel import Parcel, Receipt
from pipeline.plan import UnitRef
from pipeline.runners.contract import Placement, Pools
from pipeline.runners.ray_cluster import Room, cluster
from pipeline.stage import Resources, Workflow
from pipeline.worker import Worker, WorkerSpec

TASK_RETRIES = 20
"""How often a unit is tried again after the process that worked on it died; Ray Data's own default is for ever.

`pipeline.suspects` needs two tries to notice and two more for each record that ends processes. What still dies after
twenty dies outside of its records."""

LARGEST_PARCEL = 2**31 - 2**20
"""Bytes of a packed parcel; Arrow counts what one value of a binary column holds with 31 bits."""

FUSED = ((0, 1, 2),)
STAGED = ((0,), (1,), (2,))


class RayWorker:
    """A `Worker` as Ray Data calls it: bytes in, bytes out."""

    def __init__(self, spec: WorkerSpec, segments: Sequence[int]) -> None:
        self._worker = Worker(spec, segments)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Advance the packed parcel of a row."""
        parcel = self._worker(Parcel.unpack(row["parcel"]))
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


def _stranded(parcel: Parcel, message: str) -> dict[str, Any]:
    """A unit that cannot go on: its receipt says why, and it stays uncommitted."""
    parcel.end(Receipt(parcel.ref.unit_id, "error", message=message))
    return {"parcel": parcel.pack()}


class RayRunner:
    """Runs on a private cluster of this machine, or on the one the job names."""

    def __init__(self, pools: Pools, task_retries: int = TASK_RETRIES) -> None:
        self._pools = pools
        self._task_retries = task_retries

    def run(self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement) -> Iterator[Receipt]:
        """See `Runner.run`. Raises RunnerError when the cluster cannot hold one worker of each kind."""
        needs = needs_of(spec.workflow(), placement)
        with cluster(self._pools.address, least_cpus=1 + sum(need.cpus for need in needs)) as room:
            import ray.data  # noqa: PLC0415

            sizes = pool_sizes(room, needs, self._pools.workers, len(refs))
            rows = [{"parcel": Parcel(ref).pack()} for ref in refs]
            data = ray.data.from_items(rows, override_num_blocks=len(rows))
            for segments, need, size in zip(FUSED if placement == "fused" else STAGED, needs, sizes, strict=True):
                with warnings.catch_warnings():
                    # Ray 2.60 announces the end of such arguments, but has no other way to bound the retries.
                    warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
                    data = data.map(
                        RayWorker,
                        fn_constructor_args=(spec, segments),
                        compute=ray.data.ActorPoolStrategy(size=size),
                        num_cpus=need.cpus,
                        num_gpus=need.gpus or None,
                        memory=need.memory or None,
                        max_restarts=-1,
                        max_task_retries=self._task_retries,
                    )
            for row in data.iter_rows():
                receipt = Parcel.unpack(row["parcel"]).receipt
                assert receipt is not None
                yield receipt


def needs_of(workflow: Workflow, placement: Placement) -> list[Resources]:
    """What one worker of each pool needs: every segment's own, or for a fused worker the largest of each kind."""
    each = [segment.needs for segment in workflow.segments]
    if placement == "staged":
        return each
    return [
        Resources(max(need.cpus for need in each), max(need.gpus for need in each), max(need.memory for need in each))
    ]


def pool_sizes(room: Room, needs: Sequence[Resources], workers: int | None, units: int) -> list[int]:
    """Workers a pool. One pool takes what fits; of several, each gets one, and then the GPU pool what it can fill.

    Raises RunnerError when not even one worker of each fits beside the CPU that Ray's own tasks need.
    """
    if len(needs) == 1:
        fit = room.fits(needs[0])
        if fit < 1:
            raise RunnerError(_too_small(room, needs))
        return [max(1, min(fit, workers or fit, units))]
    gpus = sum(need.gpus for need in needs)
    if sum(need.cpus for need in needs) + 1 > room.cpus or gpus > room.gpus:
        raise RunnerError(_too_small(room, needs))
    sizes = [1] * len(needs)
    limit = min(workers or units, units)
    spare = room.cpus - 1 - sum(need.cpus for need in needs)
    spare_gpus = room.gpus - gpus
    while True:
        # The pool with the fewest workers grows first, so that none starves the next.
        for index in sorted(range(len(needs)), key=lambda index: (sizes[index], -needs[index].gpus)):
            need = needs[index]
            if sizes[index] < limit and need.cpus <= spare and need.gpus <= spare_gpus:
                sizes[index] += 1
                spare -= need.cpus
                spare_gpus -= need.gpus
                break
        else:
            return sizes


def _too_small(room: Room, needs: Sequence[Resources]) -> str:
    wanted = "; ".join(f"{need.cpus:g} CPU" + (f" and {need.gpus:g} GPU" if need.gpus else "") for need in needs)
    return (
        f"the cluster has {room.cpus:g} CPUs and {room.gpus:g} GPUs, but this placement needs one worker each of: "
        f"{wanted}, plus one CPU for Ray's own tasks; give it more nodes, or set run.placement: fused"
    )
