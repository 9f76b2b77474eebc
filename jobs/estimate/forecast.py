"""How long a pass over records takes in a place: pools, units that are indivisible, start-up, and what limits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jobs.estimate.fixed import (
    FINISH_RECORD_SECONDS,
    FINISH_SECONDS,
    JOIN_SECONDS,
    PLAN_RECORD_SECONDS,
    RAY_SECONDS,
)
from jobs.estimate.place import Place
from jobs.estimate.ranges import NOTHING, Range, Total, significant
from jobs.estimate.simulate import Station, makespan
from jobs.estimate.work import Load
from pipeline.errors import RunnerError
from pipeline.runners.contract import Placement
from pipeline.runners.pools import Pool

MIDDLE = 1
NO_GPU_SPEED = (
    "the sample was tried without a GPU, so how fast the restorer is on one is not known; set "
    "cluster.faces_per_second, or plan on a machine that has one"
)
NO_CPU_SPEED = (
    "the sample was tried on a GPU, so how fast the restorer is on CPUs is not known; plan on a machine without one"
)


@dataclass(frozen=True)
class PoolForecast:
    """Workers of one kind.

    Attributes:
        segments: names of the segments that they run.
        workers: how many.
        busy: part of the working time in which they are at work, 0 to 1.
    """

    segments: tuple[str, ...]
    workers: int
    busy: float


@dataclass(frozen=True)
class Forecast:
    """A pass in a place.

    Attributes:
        name: of the pass.
        start_seconds: until the first unit is begun, without listing.
        work: seconds from the first unit's beginning to the last commit.
        finish_seconds: after that.
        pools: of workers.
        limit: what more of would make it faster: `cpus`, `gpus`, or `units` where workers have no unit left to do;
            `runner` where the job has one process only.
        worker_seconds: of all workers together in the stages.
        unknown: why nothing can be said; the numbers are 0 then.
    """

    name: str
    start_seconds: float = 0.0
    work: Range = NOTHING
    finish_seconds: float = 0.0
    pools: tuple[PoolForecast, ...] = ()
    limit: str = ""
    worker_seconds: Range = NOTHING
    unknown: str = ""

    @property
    def placement(self) -> str:
        """`fused` or `staged`."""
        return "staged" if len(self.pools) > 1 else "fused"

    @property
    def seconds(self) -> Range:
        """From the command's start to its end, without listing."""
        return self.work.plus(self.start_seconds + self.finish_seconds)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        if self.unknown:
            return {"name": self.name, "unknown": self.unknown}
        return {
            "name": self.name,
            "unknown": None,
            "placement": self.placement,
            "pools": [
                {"segments": list(pool.segments), "workers": pool.workers, "busy": significant(pool.busy, 3)}
                for pool in self.pools
            ],
            "limited_by": self.limit,
            "start_seconds": significant(self.start_seconds, 4),
            "work_seconds": self.work.plain(),
            "finish_seconds": significant(self.finish_seconds, 4),
            "worker_seconds": self.worker_seconds.plain(),
        }


def forecast(load: Load, place: Place, placement: Placement, workers: int | None) -> Forecast:
    """Say how long a pass takes in a place.

    Units go through the pools one by one (`jobs.estimate.simulate`). Where workers share what they work with, CPUs or
    GPUs, all of them together are no faster than that is.

    Args:
        load: what there is to do.
        place: where.
        placement: of the job.
        workers: most of each pool; None is as many as fit.
    """
    try:
        pools = place.pools(load.workflow, placement, workers, max(1, len(load.units)))
    except RunnerError as error:
        return Forecast(load.name, unknown=str(error))
    on_gpu = any(pool.needs.gpus for pool in pools)
    adapted = _adapted(load, place, on_gpu)
    if isinstance(adapted, str):
        return Forecast(load.name, unknown=adapted)
    load = adapted
    stations = [Station(pool.size, _seconds(load, pool)) for pool in pools]
    simulated = makespan(stations)
    cpu, gpu = _device_seconds(load, pools, on_gpu)
    floors = {"cpus": cpu / place.cpus, "gpus": gpu / place.room.gpus if gpu and place.room.gpus else 0.0}
    steady = max(simulated, *floors.values())
    work = steady + load.warm_seconds  # of every worker's first record, at the same time
    spans = [float(station.seconds.sum()) for station in stations]
    busy = [span / station.workers / steady if steady else 0.0 for span, station in zip(spans, stations, strict=True)]
    names = [segment.name for segment in load.workflow.segments]
    return Forecast(
        name=load.name,
        start_seconds=_start(load, place),
        work=_times(load.doubt, work),
        finish_seconds=FINISH_SECONDS + FINISH_RECORD_SECONDS * load.records,
        pools=tuple(
            PoolForecast(
                tuple(names[index] for index in pool.segments if _stages(load, index)), pool.size, min(1.0, part)
            )
            for pool, part in zip(pools, busy, strict=True)
        ),
        limit="runner" if place.runner == "local" else _limit(pools, busy, floors, steady, len(load.units)),
        worker_seconds=_times(load.doubt, sum(part.range.point for part in load.parts) + load.sample_seconds),
    )


def _times(doubt: Range, seconds: float) -> Range:
    return Range(doubt.low * seconds, doubt.point * seconds, doubt.high * seconds)


def _stages(load: Load, index: int) -> bool:
    return bool(load.workflow.segments[index].stages)


def _adapted(load: Load, place: Place, on_gpu: bool) -> Load | str:
    """The load with the middle's seconds as they are in the place; why they are not known, where they are not."""
    if on_gpu and place.faces_per_second is not None:
        front, middle, back = load.parts
        seconds = load.weight.point / place.faces_per_second
        factor = seconds / middle.range.point if middle.range.point else 0.0
        changed = Total(middle.range.times(factor), middle.each * factor, middle.byte * factor)
        if not middle.range.point and load.records:
            changed = Total(Range(seconds, seconds, seconds), seconds / load.records, 0.0)
        return replace(load, parts=(front, changed, back))
    if on_gpu == load.on_gpu or not any(segment.needs.gpus for segment in load.workflow.segments):
        return load
    return NO_GPU_SPEED if on_gpu else NO_CPU_SPEED


def _seconds(load: Load, pool: Pool) -> Any:
    """(units,) seconds that each takes a worker of the pool."""
    return np.sum([load.by_unit(index) for index in pool.segments], axis=0)


def _device_seconds(load: Load, pools: Sequence[Pool], on_gpu: bool) -> tuple[float, float]:
    """CPU seconds and GPU seconds of all units. A worker's threads are busy in the middle only."""
    each = [float(load.by_unit(index).sum()) for index in range(3)]
    if on_gpu:
        return each[0] + each[2], each[MIDDLE]
    threads = max(1.0, next(pool.needs.cpus for pool in pools if MIDDLE in pool.segments))
    return each[0] + each[2] + threads * each[MIDDLE], 0.0


def _limit(pools: Sequence[Pool], busy: Sequence[float], floors: dict[str, float], work: float, units: int) -> str:
    """What more of would make it faster."""
    for name, floor in floors.items():
        if floor >= 0.98 * work > 0:
            return name
    busiest = max(range(len(pools)), key=lambda index: busy[index])
    if busy[busiest] < 0.5 or pools[busiest].size >= units:
        return "units"
    return "gpus" if pools[busiest].needs.gpus else "cpus"


def _start(load: Load, place: Place) -> float:
    own = load.start_seconds + PLAN_RECORD_SECONDS * load.records
    if place.runner == "local":
        return own
    return own + (RAY_SECONDS if place.private else JOIN_SECONDS)
