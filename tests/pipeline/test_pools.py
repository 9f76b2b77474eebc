"""How many workers of which kind a cluster gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import RunnerError
from pipeline.runners.pools import Pool, Room, needs_of, pools_for
from pipeline.stage import Resources, Segment, Workflow

if TYPE_CHECKING:
    from pipeline.runners.contract import Placement

GIB = 2**30


def workflow(needs: Resources) -> Workflow:
    return Workflow(
        Segment("front", ()), Segment("middle", (), needs), Segment("back", ()), lambda item: {}, lambda item: {}, {}
    )


def sizes(
    needs: Resources, room: Room, placement: Placement = "auto", workers: int | None = None, units: int = 1000
) -> list[int]:
    return [pool.size for pool in pools_for(workflow(needs), placement, room, workers, units)]


GPU = Resources(gpus=1.0)
MAYBE = Resources(gpus=1.0, gpus_if_any=True)


@pytest.mark.parametrize(
    ("needs", "room", "expected"),
    [
        # Without a network, or with one on CPUs, everything fits into one worker a CPU.
        (Resources(), Room(9, 0), [8]),
        (Resources(), Room(9, 4), [8]),
        (Resources(cpus=4), Room(9, 0), [2]),
        # A GPU is taken where there is one, and done without where there is none.
        (MAYBE, Room(9, 0), [8]),
        (MAYBE, Room(3, 1), [1]),
        # Few CPUs for each GPU: fused. Many: they decode for the GPU's workers and encode after them.
        (GPU, Room(5, 2), [2]),
        (GPU, Room(17, 1), [8, 1, 7]),
        (MAYBE, Room(33, 4), [14, 4, 14]),
        (Resources(gpus=0.5), Room(13, 1), [5, 2, 5]),
    ],
)
def test_auto_feeds_the_gpus_there_are(needs: Resources, room: Room, expected: list[int]) -> None:
    assert sizes(needs, room) == expected


def test_what_a_job_says_is_done() -> None:
    assert sizes(GPU, Room(17, 1), "fused") == [1]
    assert sizes(Resources(), Room(9, 0), "staged") == [3, 3, 2]
    assert sizes(Resources(), Room(9, 0), workers=2) == [2]
    assert sizes(GPU, Room(33, 4), workers=2) == [2, 2, 2]
    assert sizes(Resources(), Room(9, 0), units=3) == [3]


def test_pools_say_what_they_run_and_need() -> None:
    staged = pools_for(workflow(MAYBE), "auto", Room(17, 1), None, 5)
    assert staged == [
        Pool((0,), Resources(), 5),
        Pool((1,), MAYBE, 1),
        Pool((2,), Resources(), 5),
    ]
    (fused,) = pools_for(workflow(MAYBE), "auto", Room(3, 0), None, 5)
    assert (fused.segments, fused.needs.gpus) == ((0, 1, 2), 0.0)


def test_a_fused_worker_needs_the_most_of_each() -> None:
    needs = Resources(cpus=4, gpus=0.5, memory=3 * GIB, gpus_if_any=True)
    assert needs_of(workflow(needs), "fused") == [needs]
    assert needs_of(workflow(needs), "staged") == [Resources(), needs, Resources()]


def test_memory_bounds_the_workers() -> None:
    needs = Resources(memory=2 * GIB)
    assert sizes(needs, Room(17, 0, 7 * GIB)) == [3]
    assert sizes(needs, Room(9, 0, 5 * GIB), "staged") == [3, 2, 3]
    with pytest.raises(RunnerError, match=r"1\.0 GiB of memory for workers, but .* 1 CPU and 2\.0 GiB"):
        sizes(needs, Room(17, 0, 1 * GIB))


@pytest.mark.parametrize(
    ("needs", "room", "placement", "message"),
    [
        (GPU, Room(17, 0), "auto", "17 CPUs, 0 GPUs"),
        (GPU, Room(17, 0.5), "fused", "1 CPU and 1 GPU"),
        (Resources(cpus=8), Room(8, 0), "fused", "8 CPU"),
        (Resources(), Room(3, 0), "staged", "set run.placement: fused"),
    ],
)
def test_what_does_not_fit_is_said(needs: Resources, room: Room, placement: Placement, message: str) -> None:
    with pytest.raises(RunnerError, match=message):
        sizes(needs, room, placement)
