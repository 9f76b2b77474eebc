"""Which cases are measured, and how long their units are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from benchmarks.scaling.case import Case, Phase
from benchmarks.scaling.work import Sleeps

FUSED = Sleeps(front=0.060, middle=0.040, back=0.080)
"""A photograph with one face. A core of the machine of docs/scaling.md takes four times as long for a real one."""

STAGED = Sleeps(front=0.060, middle=0.120, back=0.080)
"""One with three faces, so that workers with a GPU are what limits where every pool has as many workers as GPUs."""

FACES = 3
CROP_BYTES = 512 * 512 * 3 * 4
"""A crop as it travels: (512, 512, 3) float32."""

CORES_A_GPU = 3
"""Cores that a cluster with staged workers has at least for each GPU (`pipeline.runners.pools.STAGED_FROM`)."""

STORE_BYTES = 4 * 2**30
"""Object store of a cluster for staged workers: what `ray start` gives a machine of 14 GB."""

OUTPUT_BYTES = 64 * 2**10
SOURCE_BYTES = 240_000
FUSED_RECORDS, STAGED_RECORDS = 32, 16
UNITS_A_WORKER = 5
"""The window, from when every worker has its first unit to when each has one left, holds about three of them."""

WARMING = 2
"""Units of one record for each worker, before anything is counted; where units are given out ahead some get two."""

GPUS = (1, 2, 4, 8, 16, 32, 64)
STAGED_GPUS = (1, 2, 4, 8, 16)
WHOLE_GPUS = 2
"""With whole crops: a unit of them is 151 MB each way."""

SWEPT = (32, 16, 8, 4, 2, 1)
WINDOW_SECONDS = 8.0


@dataclass(frozen=True)
class Where:
    """Where cases run.

    Attributes:
        folder: below which each has a folder of its own.
        address: of a cluster; empty starts one for each case on this machine.
        output_bytes: of a record's output.
        source_bytes: of a record's source.
    """

    folder: str
    address: str = ""
    output_bytes: int = OUTPUT_BYTES
    source_bytes: int = SOURCE_BYTES


def case(
    where: Where,
    placement: Literal["fused", "staged"],
    gpus: int,
    unit_records: Sequence[int],
    units_a_worker: Sequence[int],
    *,
    isolate: bool = True,
    crop_bytes: int = 0,
    sleeps: Sleeps | None = None,
) -> Case:
    """Phases with so many records a unit and units a worker, after a first one with two records for each worker."""
    phases = [Phase(size, each * gpus) for size, each in zip(unit_records, units_a_worker, strict=True)]
    name = f"{placement}-{gpus}-{'watched' if isolate else 'plain'}-{crop_bytes}-{'-'.join(map(str, unit_records))}"
    return Case(
        gpus=gpus,
        placement=placement,
        isolate=isolate,
        phases=(Phase(1, WARMING * gpus), *phases),
        sleeps=sleeps or (FUSED if placement == "fused" else STAGED),
        crop_bytes=crop_bytes,
        output_bytes=where.output_bytes,
        source_bytes=where.source_bytes,
        folder=f"{where.folder.rstrip('/')}/{name}",
        address=where.address,
    )


def fused(where: Where, gpus: int, *, isolate: bool = True) -> Case:
    """A row of the table for fused workers; crops never leave their processes, so there are none."""
    return case(where, "fused", gpus, [FUSED_RECORDS], [UNITS_A_WORKER], isolate=isolate)


def staged(where: Where, gpus: int, cores: int | None, store_bytes: int = STORE_BYTES) -> Case:
    """A row of the table for staged workers.

    Args:
        where: it runs.
        gpus: and as many workers in front and at the back.
        cores: of this machine, to which the bytes of crops are scaled; None lets none travel.
        store_bytes: of the object store.
    """
    crops = 0 if cores is None else int(FACES * CROP_BYTES * crop_share(gpus, cores))
    made = case(where, "staged", gpus, [STAGED_RECORDS], [2 * UNITS_A_WORKER], crop_bytes=crops)
    return replace(made, store_bytes=store_bytes, folder=f"{made.folder}-store-{store_bytes}")


def whole(where: Where, store_bytes: int) -> Case:
    """A few units whose crops travel whole, through an object store of this size."""
    made = replace(staged(where, WHOLE_GPUS, None), crop_bytes=FACES * CROP_BYTES, store_bytes=store_bytes)
    first, _ = made.phases
    phases = (first, Phase(STAGED_RECORDS, (UNITS_A_WORKER + 1) * WHOLE_GPUS))
    return replace(made, phases=phases, folder=f"{where.folder}/whole-store-{store_bytes}")


def crop_share(gpus: int, cores: int) -> float:
    """Share of a crop's bytes that travels: a core of this machine copies no more than one of such a cluster."""
    return min(1.0, cores / (CORES_A_GPU * gpus))


def sweep(where: Where, placement: Literal["fused", "staged"], gpus: int) -> Case:
    """Units of every size, one size after the other, each for about the window's seconds."""
    each = FUSED.total if placement == "fused" else STAGED.middle
    units = [max(4, 2 + ceil(WINDOW_SECONDS / (size * each))) for size in SWEPT]
    return case(where, placement, gpus, SWEPT, units)
