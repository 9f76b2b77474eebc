"""How many workers of which kind a cluster gets: placement, needs, and what there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pipeline.errors import RunnerError
from pipeline.runners.contract import Placement
from pipeline.stage import Resources, Workflow

SEGMENTS: Mapping[Placement, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {"fused": ((0, 1, 2),), "staged": ((0,), (1,), (2,))}
)
"""Which segments of a workflow the workers of each pool run."""

PARTS: Mapping[tuple[int, ...], str] = MappingProxyType({(0, 1, 2): "all", (0,): "front", (1,): "middle", (2,): "back"})
"""What the part of a workflow that a pool runs is called."""

STAGED_FROM = 3
"""At this many CPUs for each fused worker that GPUs allow, a staged placement feeds the GPUs better."""


@dataclass(frozen=True)
class Room:
    """What the cluster has now.

    Attributes:
        cpus: logical CPUs.
        gpus: GPUs.
        memory: bytes of heap that Ray hands out; infinite where it is not known.
    """

    cpus: float
    gpus: float
    memory: float = float("inf")

    def fits(self, needs: Resources) -> int:
        """How many workers with these needs there is room for, one CPU being left to Ray's own tasks."""
        counts = [(self.cpus - 1) / needs.cpus] if needs.cpus else []
        counts += [self.gpus / needs.gpus] if needs.gpus else []
        counts += [self.memory / needs.memory] if needs.memory else []
        return int(min(counts)) if counts else 0

    def without(self, needs: Resources) -> Room:
        """What is left beside one worker with these needs."""
        return Room(self.cpus - needs.cpus, self.gpus - needs.gpus, self.memory - needs.memory)


@dataclass(frozen=True)
class Pool:
    """Workers of one kind.

    Attributes:
        segments: indices of the workflow's segments that they run.
        needs: of each.
        size: how many.
    """

    segments: tuple[int, ...]
    needs: Resources
    size: int


def pools_for(workflow: Workflow, placement: Placement, room: Room, workers: int | None, units: int) -> list[Pool]:
    """Decide on placement and pools.

    Args:
        workflow: whose segments are placed.
        placement: `auto` chooses: staged where GPUs are needed and there are CPUs that fused workers would leave idle,
            and nothing that is too large to travel.
        room: of the cluster.
        workers: most workers of each pool; None is as many as fit.
        units: to be done; more workers than that are of no use.

    Returns:
        One pool (fused) or three (staged).

    Raises:
        RunnerError: not even one worker of each pool fits beside the CPU that Ray's own tasks need; or the workflow
            cannot be staged.
    """
    if workflow.together:
        if placement == "staged":
            raise RunnerError("this job hands on what is too large to travel; set run.placement: auto or fused")
        placement = "fused"
    each = {name: [_settled(need, room) for need in needs_of(workflow, name)] for name in SEGMENTS}
    if placement == "auto":
        (fused,) = each["fused"]
        starving = fused.gpus > 0 and room.cpus - 1 >= STAGED_FROM * max(1, room.fits(fused))
        placement = "staged" if starving else "fused"
    sizes = _sizes(room, each[placement], min(workers or units, units))
    return [Pool(*pool) for pool in zip(SEGMENTS[placement], each[placement], sizes, strict=True)]


def needs_of(workflow: Workflow, placement: Placement) -> list[Resources]:
    """What one worker of each pool needs: every segment's own, or for a fused worker the largest of each kind."""
    each = [segment.needs for segment in workflow.segments]
    if placement == "staged":
        return each
    return [
        Resources(
            max(need.cpus for need in each),
            max(need.gpus for need in each),
            max(need.memory for need in each),
            all(need.gpus_if_any for need in each if need.gpus),
        )
    ]


def least_cpus(workflow: Workflow, placement: Placement) -> float:
    """CPUs with which a cluster holds one worker of each pool, and one for Ray's own tasks."""
    return 1 + sum(need.cpus for need in needs_of(workflow, placement))


def _settled(needs: Resources, room: Room) -> Resources:
    """Needs without the GPU that a worker can do without, where the cluster has none."""
    return replace(needs, gpus=0.0) if needs.gpus_if_any and not room.gpus else needs


def _sizes(room: Room, needs: Sequence[Resources], most: int) -> list[int]:
    """Workers a pool. One pool takes what fits; of several, each gets one, and then the GPU pool what it can fill."""
    if len(needs) == 1:
        fit = room.fits(needs[0])
        if fit < 1:
            raise RunnerError(_too_small(room, needs))
        return [max(1, min(fit, most))]
    spare = room
    for need in needs:
        if spare.fits(need) < 1:
            raise RunnerError(_too_small(room, needs))
        spare = spare.without(need)
    sizes = [1] * len(needs)
    while True:
        # The pool with the fewest workers grows first, so that none starves the next.
        for index in sorted(range(len(needs)), key=lambda index: (sizes[index], -needs[index].gpus)):
            if sizes[index] < most and spare.fits(needs[index]) >= 1:
                sizes[index] += 1
                spare = spare.without(needs[index])
                break
        else:
            return sizes


def _too_small(room: Room, needs: Sequence[Resources]) -> str:
    memory = f" and {room.memory / 2**30:.1f} GiB of memory for workers" if any(need.memory for need in needs) else ""
    return (
        f"the cluster has {room.cpus:g} CPUs, {room.gpus:g} GPUs{memory}, but this placement needs one worker each of: "
        f"{'; '.join(map(_shown, needs))}, plus one CPU for Ray's own tasks; give it more nodes, or "
        + ("set run.placement: fused" if len(needs) > 1 else "ask for less (see run and restore.engine)")
    )


def _shown(need: Resources) -> str:
    parts = [f"{need.cpus:g} CPU"]
    parts += [f"{need.gpus:g} GPU"] if need.gpus else []
    parts += [f"{need.memory / 2**30:.1f} GiB"] if need.memory else []
    return " and ".join(parts)
