"""Flips and shifts of many images: each pixel is copied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from operators.degradations.batched.frames import Frames, Index, columns_taken, indices, rows_taken
from operators.degradations.batched.tasks import Done, Task, done, frames_of


def moved(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Flip` and `Shift`: where a degradation moves masks to says where it moves pixels."""
    frames = frames_of(tasks, device)
    rows = [_line(task, down=True) for task in tasks]
    columns = [_line(task, down=False) for task in tasks]
    taken = columns_taken(rows_taken(frames.pixels, indices(rows, device)), indices(columns, device))
    return done(Frames(taken, frames.sizes))


def _line(task: Task, *, down: bool) -> Index:
    """Index of rows or columns: numbers along the axis, moved as a mask is."""
    height, width = task.size
    ramp = np.arange(height if down else width, dtype=np.float32)
    ramp = ramp[:, None] if down else ramp[None, :]
    return np.asarray(task.degradation.moved(ramp, task.original), dtype=np.intp).ravel()
