"""What a worker computes with, and how it is made to come to the same bits each time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import torch

from jobs.spec.training.run import TrainRun
from jobs.train.artefacts.facts import MachineFacts
from operators.engines.precision import cpu_flags, cpu_kind, has_bf16
from operators.training.contract import Hardware
from operators.training.together import Together
from pipeline.errors import WorkerError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""cuBLAS computes reproducibly only with a workspace of its own (CUDA documentation, cuBLAS, 2.1.4)."""


def hardware_of(run: TrainRun, together: Together) -> Hardware:
    """What this worker runs on.

    Raises:
        WorkerError: the job asks for a GPU, and there is none.
    """
    there = torch.cuda.is_available()
    if run.device == "cuda" and not there:
        raise WorkerError("run.device is cuda, and this worker has no GPU that torch can use; say auto or cpu")
    cuda = there and run.device != "cpu"
    device = f"cuda:{torch.cuda.current_device()}" if cuda else "cpu"
    able = cuda and torch.cuda.is_bf16_supported()
    return Hardware(
        device=device,
        precision=("bf16" if able else "fp32") if run.precision == "auto" else run.precision,
        channels_last=run.channels_last,
        compiled=run.compiled,
        rank=together.rank,
        world=together.world,
    )


def warning_of(hardware: Hardware) -> str | None:
    """What whoever runs the training should know of its arithmetic; None where there is nothing."""
    if hardware.device != "cpu" or hardware.precision != "bf16" or has_bf16("cpu") or not cpu_flags():
        return None  # without flags, which only Linux shows, nothing is known
    return (
        f"run.precision is bf16, and this machine's CPU ({cpu_kind()}) has no instructions for it (AMX, AVX512-BF16 or "
        "ARM's BF16): a step may take many times as long as with fp32; to stop and say fp32 loses nothing"
    )


def machine_of(run: TrainRun, hardware: Hardware, nodes: int) -> MachineFacts:
    """What it runs on, for people."""
    cuda = hardware.device.startswith("cuda")
    return MachineFacts(
        device=torch.cuda.get_device_name(hardware.device) if cuda else "cpu",
        precision=hardware.precision,
        workers=hardware.world,
        nodes=nodes,
        runner=run.runner,
        compiled=hardware.compiled,
        channels_last=hardware.channels_last,
    )


@contextmanager
def arithmetic(threads: int) -> Iterator[None]:
    """Compute with so many threads and, where torch can, with algorithms that give the same bits each time.

    What torch cannot do so it does otherwise, without a word at each step.
    """
    os.environ.setdefault(WORKSPACE, ":4096:8")
    before = torch.get_num_threads(), cv2.getNumThreads()
    settings: Any = torch.utils.deterministic  # a module with a property, which its type does not know
    filling = settings.fill_uninitialized_memory
    strict, lenient = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    settings.fill_uninitialized_memory = False
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=lenient)
            settings.fill_uninitialized_memory = filling
            torch.set_num_threads(before[0])
            cv2.setNumThreads(before[1])
