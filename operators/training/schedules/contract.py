"""What the table of schedules knows of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.training.contract import Hardware, Schedule


@dataclass(frozen=True)
class Common:
    """Settings of every schedule; those of one model are a subclass with its paper's values as defaults.

    Attributes:
        steps: in all.
        batch: samples of a step over all workers.
        accumulate: parts that a worker's samples of a step are gone through in, to save memory; same result where
            nothing depends on the batch's statistics.
        rate: Adam's learning rate.
        warm: steps in which it rises to that.
        decay: share of the steps, at the end, in which it falls to a fiftieth, in a straight line.
        half_life: samples after which what was counts half in the running mean of weights.
    """

    steps: int = 10_000
    batch: int = 8
    accumulate: int = 1
    rate: float = 2e-3
    warm: int = 0
    decay: float = 0.0
    half_life: float = 10_000.0

    def factor(self, step: int) -> float:
        """Of the learning rate in a step."""
        rising = min(1.0, (step + 1) / self.warm) if self.warm else 1.0
        left = (self.steps - step) / self.steps
        return rising * (max(0.02, left / self.decay) if self.decay and left < self.decay else 1.0)


@dataclass(frozen=True)
class Given:
    """What a schedule is built from.

    Attributes:
        network: settings of the networks, of the entry's own type.
        objective: weights of the terms, likewise.
        schedule: likewise, a `Common`.
        hardware: what it runs on.
        seed: of the weights, when they are drawn; all workers draw the same.
        starts: state dicts of networks to begin with, by the names that `start` has in the job file.
        pictures: arrays that the job file names, such as a style picture, (H, W, 3) uint8 RGB.
        attributes: names of the attributes that samples come with, in order.
    """

    network: Any
    objective: Any
    schedule: Common
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 0
    starts: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A schedule of the table.

    Attributes:
        summary: one line, with the paper.
        network: frozen dataclass of settings, defaults from the paper.
        objective: likewise, a weight for each term; 0 leaves it out.
        schedule: likewise, a subclass of `Common`.
        data: kinds of data that it can train on: `faces`, `pairs`, `pictures`, `unpaired`.
        build: makes it; imports torch no earlier.
        check: raises ValueError for settings that do not go together, before any file is read: `starts` has names with
            nothing behind them, `pictures` and `attributes` are empty. None where all go together.
    """

    summary: str
    network: type[Any]
    objective: type[Any]
    schedule: type[Common]
    data: tuple[str, ...]
    build: Callable[[Given], Schedule]
    check: Callable[[Given], None] | None = None
