"""Where things lie in the output of a training: one place for every name."""

from __future__ import annotations

import re

from pipeline.layout import HOME

HEADER = "train.json"
"""What the training is; written first, and removed last."""
END = "finished.json"
"""There when all steps are done and everything is written: what was made, with SHA-256."""
CHECKPOINTS = "checkpoints"
CURVES = "curves"
TENSORBOARD = "tensorboard"
SAMPLES = "samples"
MODEL = "model"
REPORT = "report.html"
LOCK = f"{HOME}/train-lock.json"
"""Who trains there; see `jobs.train.lock`."""

FOLDERS = (CHECKPOINTS, CURVES, TENSORBOARD, SAMPLES, MODEL)
"""All of a training but single files."""

_STRETCH = re.compile(r"(\d{9,})-(\d{9,})\.jsonl")
_STEP = re.compile(r"(\d{9,})\.(?:png|json)")


def curve(first: int, last: int) -> str:
    """Rows of the steps between two checkpoints, relative to the folder of curves; steps that were done at either."""
    return f"{first:09d}-{last:09d}.jsonl"


def stretch_of(name: str) -> tuple[int, int] | None:
    """What a curve's name says; None for another name."""
    found = _STRETCH.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def sheet(done: int) -> str:
    """Grid of samples after so many steps, relative to the folder of samples."""
    return f"{done:09d}.png"


def measures(done: int) -> str:
    """Measures of held-out samples, likewise."""
    return f"{done:09d}.json"


def step_of(name: str) -> int | None:
    """After how many steps a sheet or measures were made; None for another name."""
    found = _STEP.fullmatch(name)
    return int(found[1]) if found else None
