"""The block `run`: where and how the work is done. Nothing here changes a pixel but the seed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from jobs.spec.common import Block, ByteCount, Text

PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
ADDRESS = re.compile(r"auto|[^\s/:]+:[0-9]{1,5}")


def check_budget(value: object) -> object:
    """A count of records or a percentage as text; anything else is refused.

    Raises:
        ValueError: says what is expected.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
    if match and float(match[1]) <= 100:
        return value
    raise ValueError("expected a count of records such as 100, or a percentage from '0%' to '100%'")


def check_address(address: str) -> str:
    """An address that `ray.init` takes.

    Raises:
        ValueError: says what is expected.
    """
    if not ADDRESS.fullmatch(address):
        raise ValueError("expected null, 'auto' or 'host:6379'")
    return address


Budget = Annotated[
    int | str,
    BeforeValidator(check_budget),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,6})?)\s*%$"},
            ]
        }
    ),
]


class Run(Block):
    """Runner, resources, and the budget of failures."""

    runner: Literal["local", "ray"] = "ray"
    """In this process, or over a Ray cluster."""
    address: Annotated[Text, AfterValidator(check_address)] | None = None
    """Ray cluster: null starts a private one on this machine, else 'auto' or 'host:6379'."""
    placement: Literal["auto", "fused", "staged"] = "auto"
    """All stages in one worker, or CPU and GPU stages in workers of their own; auto chooses."""
    workers: int | None = Field(default=None, ge=1, le=100_000)
    """Most workers; null is as many as the cluster has room for."""
    gpus_per_worker: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of a GPU that a worker with a network takes, where it runs on GPUs; 0.5 puts two on one."""
    threads: int = Field(default=1, ge=1, le=256)
    """Images that a worker decodes and encodes at once."""
    unit_records: int = Field(default=64, ge=1, le=1_000_000)
    """Most records of a unit, the smallest thing that is committed."""
    unit_bytes: ByteCount = 512 * 1024**2
    """Most source bytes of a unit, in bytes or as text ('512 MiB')."""
    max_quarantined: Budget = "100%"
    """Records that may fail before the run stops: a count, or a percentage of the planned ones."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seed of everything that is drawn at random."""
    samples: int = Field(default=24, ge=0, le=500)
    """Before/after pictures kept for the report."""
    isolate: bool = True
    """Whether records are worked on in processes that are watched, so that one that crashes costs one record."""
    record_seconds: float = Field(default=600.0, gt=0.0, le=604_800.0)
    """Most seconds that a record may take in one stage, waiting for storage left out."""
    unit_seconds: float = Field(default=7200.0, gt=0.0, le=604_800.0)
    """After so many seconds the records of a unit go one by one, and then in so many through the restorer."""
    worker_memory: ByteCount | None = None
    """Most memory of a worker's process, in bytes or as text ('8 GiB'); null is what the machine can spare."""
    grace_seconds: float = Field(default=30.0, ge=0.0, le=604_800.0)
    """Seconds that units under way are given to end when the run is told to stop."""
    stall_seconds: float = Field(default=300.0, ge=10.0, le=604_800.0)
    """A cluster on which no worker has been at work for so many seconds is given up, and the run can be resumed."""

    def allowance(self, planned: int) -> int:
        """How many of `planned` records may be in quarantine; a percentage is rounded down."""
        if isinstance(self.max_quarantined, int):
            return self.max_quarantined
        match = PERCENTAGE.fullmatch(self.max_quarantined)
        assert match is not None
        return int(planned * float(match[1]) / 100 + 1e-9)
