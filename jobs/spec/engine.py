"""The block `restore.engine`: what executes a network."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block, Text

DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")


def check_device(device: str) -> str:
    """A device that engines know.

    Raises:
        ValueError: says what is expected.
    """
    if not DEVICE.fullmatch(device):
        raise ValueError("expected 'auto', 'cpu', 'cuda' or 'cuda:0'")
    return device


class Engine(Block):
    """Which engine, in which arithmetic, where, and how many faces at once."""

    name: Literal["auto", "eager", "openvino", "onnxruntime", "compile", "aot", "tensorrt", "tensorrt_rtx"] = "auto"
    """Which engine; auto is the fastest that a worker's machine has."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic; auto is bf16 where the hardware has it, else fp32."""
    device: Annotated[
        Text, AfterValidator(check_device), Field(json_schema_extra={"pattern": f"^({DEVICE.pattern})$"})
    ] = "auto"
    """Where it runs: cpu, cuda, cuda:N, or auto for a GPU where there is one."""
    strict: bool = False
    """Whether the run ends rather than fall back to another engine or arithmetic than was asked for."""
    batch: int = Field(default=8, ge=1, le=256)
    """Faces that the network takes at once; memory grows with it."""
    threads: int = Field(default=1, ge=1, le=256)
    """CPU threads of each worker's engine; a worker takes as many CPUs."""
