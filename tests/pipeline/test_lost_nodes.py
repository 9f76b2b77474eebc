"""Clusters that lose machines in the middle of a run: it comes to its end on what is left, or says what is missing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from pipeline.driver import Outcome, drive
from pipeline.parcel import Receipt
from pipeline.records import Item
from pipeline.runners.contract import Pools
from pipeline.runners.ray import RayRunner
from pipeline.stage import Resources, Segment, UnitContext, Workflow
from pipeline.tally import Tally, tally_of
from pipeline.watched.limits import Limits

from .bed import Bed, Load, Upper, workflow

pytestmark = pytest.mark.ray
STORE = {"object_store_memory": 100 * 2**20}


@dataclass
class Slow(Load):
    """Long enough for a machine to go while units are under way."""

    def process(self, item: Item, context: UnitContext) -> None:
        super().process(item, context)
        time.sleep(0.3)


def slow() -> Workflow:
    return replace(workflow(), front=Segment("front", (Slow(),)))


def on_gpus() -> Workflow:
    return replace(slow(), middle=Segment("middle", (Upper(),), Resources(cpus=0.5, gpus=1.0)))


@dataclass
class Machines:
    """A head without anything to spare, and a second machine."""

    cluster: Cluster
    second: Any

    def lose(self) -> None:
        self.cluster.remove_node(self.second, allow_graceful=False)


@pytest.fixture
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    first, second = request.param
    cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **STORE, **first})
    added = cluster.add_node(**STORE, **second)
    try:
        yield Machines(cluster, added)
    finally:
        ray.shutdown()
        cluster.shutdown()


def driven(bed: Bed, machines: Machines, work: Any, placement: Any, stall: float, after: int) -> Outcome:
    """Drive on both machines; the second one goes once so many units are done."""
    done = 0

    def show(_tally: Tally, receipt: Receipt | None) -> None:
        nonlocal done
        done += receipt is not None
        if receipt is not None and done == after:
            machines.lose()

    pools = Pools(address=machines.cluster.address, limits=Limits(), stall_seconds=stall)
    spec = replace(bed.spec, workflow=work)
    return drive(bed.run, RayRunner(pools), spec, placement, 100, show)


TWO_AND_TWO = ({"num_cpus": 2}, {"num_cpus": 2})
GPU_ON_SECOND = ({"num_cpus": 4}, {"num_cpus": 2, "num_gpus": 1})


@pytest.mark.parametrize("machines", [TWO_AND_TWO], indirect=True)
def test_a_pool_that_had_filled_both_machines_comes_to_its_end_on_one(tmp_path: Path, machines: Machines) -> None:
    bed = Bed(tmp_path, {f"{number:02d}.txt": f"text {number}" for number in range(60)})
    outcome = driven(bed, machines, slow, "fused", stall=120, after=6)
    assert (outcome.state, outcome.tally.ok, outcome.tally.quarantined) == ("complete", 60, 0)
    assert len(bed.outputs()) == 60
    commits = [name for name, _ in bed.run.folder.walk("commits")]
    assert len(commits) == outcome.tally.units_planned == 30


@pytest.mark.parametrize("machines", [GPU_ON_SECOND], indirect=True)
def test_a_cluster_that_lost_its_only_gpu_is_named_and_the_run_can_be_resumed(
    tmp_path: Path, machines: Machines
) -> None:
    bed = Bed(tmp_path, {f"{number:02d}.txt": f"text {number}" for number in range(60)})
    outcome = driven(bed, machines, on_gpus, "staged", stall=12, after=3)
    assert outcome.state == "incomplete"
    assert "1 GPU" in outcome.message or "0 GPUs" in outcome.message
    assert 3 <= tally_of(bed.run).units_committed < 30
    os.environ.pop("RAY_ADDRESS", None)
    ray.shutdown()
    assert bed.drive().state == "complete"
    assert tally_of(bed.run).ok == 60
