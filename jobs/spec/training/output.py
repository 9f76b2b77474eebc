"""The block `output` of a train job: where the training is kept, and what comes of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block, StorageOptions, Text


class TrainOutput(Block):
    """Checkpoints, curves, sheets of samples, the model at the end."""

    uri: Text
    """Folder for all of it: a path relative to the job file, or any writable URL that fsspec knows."""
    storage_options: StorageOptions = Field(default={})
    """Options for that storage (credentials, endpoint); values may hold ${NAME} or ${NAME:-default}."""
    existing: Literal["refuse", "replace"] = "refuse"
    """What to do where the output holds another training."""
    checkpoint_every: int = Field(default=500, ge=1, le=1_000_000_000)
    """Steps from one checkpoint to the next; after a kill the training goes on from the last one."""
    keep: int = Field(default=3, ge=1, le=1_000_000)
    """How many of the newest checkpoints are kept."""
    keep_every: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Steps between checkpoints that are kept for good; null keeps the newest only."""
    log_every: int = Field(default=10, ge=1, le=1_000_000_000)
    """Steps from one row of the curves to the next."""
    samples_every: int = Field(default=500, ge=0, le=1_000_000_000)
    """Steps from one sheet of samples, with measures on what is held out, to the next; 0 makes one at the end only."""
    samples: int = Field(default=8, ge=1, le=64)
    """Samples that a sheet shows."""
    measured: int = Field(default=64, ge=1, le=100_000)
    """Held-out samples that are measured, at most."""
    licence: Text | None = None
    """What the model may be used for, as an SPDX expression or in words; for its card."""
    half: bool = True
    """Whether the weights at the end are written as float16, which halves the file."""
