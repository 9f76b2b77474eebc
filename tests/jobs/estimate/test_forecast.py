"""Times of places: GPUs that help, CPUs that hold up, units that are too few, machines that are too small."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from jobs.estimate.fixed import FINISH_SECONDS, JOIN_SECONDS, RAY_SECONDS, UNIT_SECONDS
from jobs.estimate.forecast import NO_CPU_SPEED, NO_GPU_SPEED, Forecast, forecast
from jobs.estimate.place import Place, cluster_of
from jobs.estimate.ranges import Total, exactly
from jobs.estimate.trial import REMOTE_PUT_SECONDS
from jobs.estimate.work import Load, Units
from jobs.spec.cluster import Cluster
from pipeline.runners.pools import Room
from pipeline.stage import Resources, Segment, Workflow

CPU = Resources()
GPU = Resources(cpus=1, gpus=1.0, gpus_if_any=True)


class Stage:
    """A stage that is never run."""

    name = "stage"

    def setup(self) -> None:
        raise AssertionError

    def process(self, item: object, context: object) -> None:
        raise AssertionError


def workflow(middle: Resources = CPU) -> Workflow:
    front, back = (Segment(name, (Stage(),)) for name in ("examine", "compose"))
    return Workflow(front, Segment("restore", (Stage(),), middle), back, lambda item: {}, lambda item: {}, {})


def load(seconds: tuple[float, float, float] = (1, 1, 1), units: int = 100, needs: Resources = CPU) -> Load:
    """A hundred records a unit; seconds of front, middle and back are of a whole unit."""
    records = 100 * units
    parts = tuple(Total(exactly(each * units), each / 100, 0.0) for each in seconds)
    return Load(
        "restore",
        workflow(needs),
        records,
        Units(array("q", [100] * units), array("q", [0] * units)),
        exactly(sum(seconds) * units),
        parts,  # type: ignore[arg-type]
        exactly(2.0 * records),
        warm_seconds=0.0,
        start_seconds=3.0,
    )


def place(cpus: float = 5, gpus: float = 0, **more: object) -> Place:
    return Place("cluster", Room(cpus, gpus), cpus, private=False, **more)  # type: ignore[arg-type]


def work(found: Forecast) -> float:
    assert not found.unknown
    return found.work.point


def test_by_hand() -> None:
    found = forecast(load(), place(cpus=5), "fused", None)
    # 100 units of 3 s and a little, by 4 workers beside the CPU that is Ray's: 25 turns.
    assert work(found) == pytest.approx(25 * (3 + UNIT_SECONDS))
    assert [(pool.workers, round(pool.busy, 3)) for pool in found.pools] == [(4, 1.0)]
    assert found.limit == "cpus"
    assert found.worker_seconds.point == pytest.approx(300)
    assert found.start_seconds == pytest.approx(JOIN_SECONDS + 3.0 + 100 * 100 * 2e-5)
    assert found.seconds.point == pytest.approx(work(found) + found.start_seconds + found.finish_seconds)
    assert found.finish_seconds > FINISH_SECONDS


def test_every_worker_has_a_first_record() -> None:
    cold = forecast(replace(load(), warm_seconds=2.0), place(cpus=5), "fused", None)
    warm = forecast(load(), place(cpus=5), "fused", None)
    assert work(cold) - work(warm) == pytest.approx(2.0)
    assert cold.pools == warm.pools


def test_a_private_cluster_is_started_first() -> None:
    private, joined = (forecast(load(), replace(place(), private=way), "fused", None) for way in (True, False))
    assert private.start_seconds - joined.start_seconds == pytest.approx(RAY_SECONDS - JOIN_SECONDS)
    local = forecast(load(), replace(place(), runner="local"), "fused", None)
    assert local.start_seconds == pytest.approx(joined.start_seconds - JOIN_SECONDS)
    assert local.limit == "runner"
    assert work(local) == pytest.approx(100 * (3 + UNIT_SECONDS))


def test_units_are_indivisible() -> None:
    five = forecast(load(units=5), place(cpus=5), "fused", None)
    assert work(five) == pytest.approx(2 * (3 + UNIT_SECONDS))  # four at once, and one more
    assert five.limit == "cpus"
    few = forecast(load(units=3), place(cpus=65), "fused", None)
    assert (few.pools[0].workers, few.limit) == (3, "units")
    assert forecast(load(units=1), place(cpus=5), "fused", None).limit == "units"


def test_four_gpus_take_a_quarter_of_the_time_of_one() -> None:
    job = replace(load((0.2, 20.0, 0.2), needs=GPU), on_gpu=True)
    one, four = (forecast(job, place(cpus=64, gpus=gpus), "staged", None) for gpus in (1, 4))
    assert one.limit == four.limit == "gpus"
    assert work(one) / work(four) == pytest.approx(4, rel=0.02)
    assert four.placement == "staged"
    assert [pool.workers for pool in four.pools][1] == 4


def test_where_cpus_hold_up_gpus_do_not_help() -> None:
    job = replace(load((10.0, 0.5, 10.0), needs=GPU), on_gpu=True)
    one, four = (forecast(job, place(cpus=9, gpus=gpus), "staged", None) for gpus in (1, 4))
    assert one.limit == four.limit == "cpus"
    assert work(four) >= work(one)  # the further GPU workers take CPUs from the others


def test_two_workers_on_a_gpu_are_no_faster_than_it_is() -> None:
    half = replace(GPU, gpus=0.5)
    job = replace(load((0.0, 10.0, 0.0), needs=half), on_gpu=True)
    found = forecast(job, place(cpus=64, gpus=1), "fused", None)
    assert found.pools[0].workers == 2
    assert work(found) == pytest.approx(1000)


def test_the_speed_of_a_gpu_that_nobody_has_tried() -> None:
    job = load((1.0, 100.0, 1.0), needs=GPU)
    unknown = forecast(job, place(cpus=64, gpus=4), "auto", None)
    assert unknown.unknown == NO_GPU_SPEED
    assert unknown.plain() == {"name": "restore", "unknown": NO_GPU_SPEED}
    known = forecast(job, place(cpus=64, gpus=4, faces_per_second=50.0), "auto", None)
    assert work(known) == pytest.approx(2 * 10_000 / 50 / 4, rel=0.05)  # 20,000 faces by four GPUs
    assert forecast(replace(job, on_gpu=True), place(cpus=64), "auto", None).unknown == NO_CPU_SPEED
    assert not forecast(load(), place(cpus=64, gpus=4), "auto", None).unknown  # no network, so no GPU matters


def test_what_a_disk_does_not_need_and_a_bucket_does() -> None:
    disk, bucket = (forecast(replace(load(), remote=way), place(), "fused", None) for way in (False, True))
    assert work(bucket) - work(disk) == pytest.approx(25 * (6 * REMOTE_PUT_SECONDS - UNIT_SECONDS))


def test_other_work_on_the_machine_widens_the_range() -> None:
    calm, busy = (forecast(replace(load(), cpu_share=share), place(), "fused", None) for share in (1.0, 0.5))
    assert calm.work.low == pytest.approx(0.9 * work(calm))
    assert busy.work.low < 0.5 * work(busy)
    assert busy.work.high > 1.5 * work(busy)


def test_a_job_that_asks_for_fewer_workers_gets_them() -> None:
    assert forecast(load(), place(cpus=65), "fused", 3).pools[0].workers == 3


def nodes(**more: object) -> Cluster:
    group = {"name": "gpu", "count": 4, "cpus": 16, "gpus": 1, "memory": "64 GiB", "price_per_hour": 1.2}
    return Cluster.model_validate({"nodes": [group, {"cpus": 8, "count": 2}], **more})


def test_a_cluster_has_the_room_of_its_nodes() -> None:
    found = cluster_of(nodes(), "ray")
    assert found is not None
    assert (found.room.cpus, found.room.gpus, found.cpus) == (80, 4, 80)
    assert cluster_of(Cluster(), "ray") is None
    assert cluster_of(nodes(), "local") is None


def test_workers_do_not_spread_over_machines() -> None:
    spread = cluster_of(Cluster.model_validate({"nodes": [{"count": 8, "cpus": 2}]}), "ray")
    assert spread is not None
    found = forecast(load(needs=Resources(cpus=4)), spread, "fused", None)
    assert "no machine holds a worker that needs 4 CPUs" in found.unknown
    memory = cluster_of(Cluster.model_validate({"nodes": [{"count": 2, "cpus": 64, "memory": "10 GiB"}]}), "ray")
    assert memory is not None
    held = forecast(load(needs=Resources(memory=4 * 2**30)), memory, "fused", None)
    assert held.pools[0].workers == 2  # one in each 7 GiB that workers get of ten, though all have room for three


def test_a_machine_that_holds_no_worker_says_so() -> None:
    assert "1 CPUs" in forecast(load(), place(cpus=1), "fused", None).unknown
