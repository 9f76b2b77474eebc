"""The block `cluster`: what the machines of a cluster are and cost. Only estimates and reports look at it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jobs.spec.common import Block, ByteCount, Text

Price = Annotated[float, Field(ge=0.0, le=1_000_000.0)]


class Nodes(Block):
    """A group of equal machines."""

    name: Text = "nodes"
    """What the group is called."""
    count: int = Field(default=1, ge=1, le=100_000)
    """How many machines there are."""
    cpus: float = Field(gt=0.0, le=4096.0)
    """Logical CPUs of each that are for the run."""
    gpus: int = Field(default=0, ge=0, le=64)
    """GPUs of each."""
    memory: ByteCount | None = None
    """Memory of each that is for the run, in bytes or as text ('64 GiB'); null does not look at memory."""
    price_per_hour: Price | None = None
    """What one of them costs for an hour."""


class Cluster(Block):
    """Machines and prices, for `facejobs plan` and for what the report says of costs."""

    nodes: Annotated[tuple[Nodes, ...], Field(strict=False, max_length=64)] = ()
    """Groups of machines, such as [{name: gpu, count: 4, cpus: 16, gpus: 1, price_per_hour: 1.2}]."""
    currency: Annotated[Text, Field(max_length=12)] | None = None
    """Of all prices, such as EUR."""
    storage_price: Price | None = None
    """What a GB (10^9 bytes) costs that is kept for a month."""
    request_price: Price | None = None
    """What 1,000 put requests cost."""
    faces_per_second: float | None = Field(default=None, gt=0.0, le=1_000_000.0)
    """Faces that one GPU restores in a second; null takes what the sample has shown, if it ran on one."""
