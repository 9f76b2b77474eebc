"""The block `run` of a train job: where and how it is trained. Nothing here decides what is learnt but the seed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block, Text
from jobs.spec.run import check_address


class TrainRun(Block):
    """Runner, device and arithmetic."""

    runner: Literal["local", "ray"] = "local"
    """In this process, or over a Ray cluster."""
    address: Annotated[Text, AfterValidator(check_address)] | None = None
    """Ray cluster: null starts a private one on this machine, else 'auto' or 'host:6379'."""
    workers: int = Field(default=1, ge=1, le=4096)
    """Processes that share each step's batch; each has a device of its own."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What it is trained on; auto is a GPU where there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of convolutions; auto is bf16 on GPUs that have it, else fp32."""
    compiled: bool = False
    """Whether networks go through torch.compile."""
    channels_last: bool = False
    """Whether pictures and weights are laid out with channels last."""
    threads: int = Field(default=1, ge=1, le=256)
    """Threads of each worker's arithmetic on a CPU."""
    data_workers: int = Field(default=0, ge=0, le=256)
    """Processes beside each worker that make its samples; 0 makes them in the worker."""
    grace_seconds: float = Field(default=30.0, ge=0.0, le=604_800.0)
    """Seconds that the step under way and its checkpoint are given to end when the training is told to stop."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seed of everything that is drawn at random."""
