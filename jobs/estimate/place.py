"""Where a run could go: this machine, or the cluster that its job describes."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.spec.cluster import Cluster, Nodes
from pipeline.errors import RunnerError
from pipeline.runners.contract import Placement
from pipeline.runners.pools import Pool, Room, pools_for
from pipeline.runners.ray_cluster import cores
from pipeline.stage import Resources, Workflow

HEAP_SHARE = 0.7
"""Part of a machine's memory that Ray hands out to workers; the rest is for objects and for Ray itself."""


@dataclass(frozen=True)
class Place:
    """Machines.

    Attributes:
        name: `machine` or `cluster`.
        room: as Ray would have it.
        cpus: that there really are.
        private: whether the command starts Ray.
        runner: of the job; `local` has one worker.
        nodes: of a cluster.
        faces_per_second: of one GPU; None is as fast as where the sample was tried.
    """

    name: str
    room: Room
    cpus: float
    private: bool = True
    runner: str = "ray"
    nodes: tuple[Nodes, ...] = ()
    faces_per_second: float | None = None

    def pools(self, workflow: Workflow, placement: Placement, workers: int | None, units: int) -> list[Pool]:
        """The workers that the runner would start.

        Raises:
            RunnerError: not even one of each kind fits.
        """
        if self.runner == "local":
            return [Pool((0, 1, 2), Resources(), 1)]
        pools = pools_for(workflow, placement, self.room, workers, units)
        return [Pool(pool.segments, pool.needs, self._fitting(pool)) for pool in pools]

    def _fitting(self, pool: Pool) -> int:
        """No more workers than whole ones fit on the machines; one that needs two GPUs finds none with one each."""
        if not self.nodes:
            return pool.size
        fit = sum(node.count * _on_one(node, pool.needs) for node in self.nodes)
        if not fit:
            raise RunnerError(
                f"cluster.nodes: no machine holds a worker that needs {pool.needs.cpus:g} CPUs, {pool.needs.gpus:g} "
                f"GPUs and {pool.needs.memory / 2**30:.1f} GiB of the {HEAP_SHARE:.0%} of memory that workers get"
            )
        return min(pool.size, fit)


def cluster_of(block: Cluster, runner: str) -> Place | None:
    """The cluster of a job file; None where it names no machine, or the job runs in one process."""
    if not block.nodes or runner == "local":
        return None
    memory = [node.count * HEAP_SHARE * node.memory if node.memory else float("inf") for node in block.nodes]
    cpus = sum(node.count * node.cpus for node in block.nodes)
    gpus = sum(node.count * node.gpus for node in block.nodes)
    room = Room(cpus, gpus, sum(memory))
    return Place("cluster", room, cpus, False, runner, block.nodes, block.faces_per_second)


def machine(room: Room, runner: str) -> Place:
    """This machine, with the room that a private cluster would have."""
    return Place("machine", room, float(cores()), True, runner)


def _on_one(node: Nodes, needs: Resources) -> int:
    memory = HEAP_SHARE * node.memory if node.memory else float("inf")
    counts = [node.cpus / needs.cpus] if needs.cpus else []
    counts += [node.gpus / needs.gpus] if needs.gpus else []
    counts += [memory / needs.memory] if needs.memory and memory != float("inf") else []
    return int(min(counts)) if counts else 1
