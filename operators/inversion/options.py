"""Settings of a search for codes; free of torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Importance = Literal["channels", "full"]
Schedule = Literal["cosine", "constant"]
Reason = Literal["iterations", "early_stop", "noise_level", "seconds"]
"""Why a search ended: it had all its iterations; it had stopped to improve; only noise was left; its time was up."""

WARM, DECAY = 0.05, 0.25
"""Shares of the iterations in which the learning rate of `cosine` rises and falls, as in StyleGAN2's projector."""


@dataclass(frozen=True)
class SearchOptions:
    """How codes are searched for.

    Attributes:
        codes: number N of latent codes of a picture, 1 or more.
        layer: after which their features are composed, from 1; 0 leaves it to whoever knows task and prior. It does not
            matter to one code of full importance.
        space: in which the codes are.
        importance: `channels` learns the adaptive channel importance; `full` holds it at 1, with one code alone.
        starts: codes that a search for a single code tries before it begins: it begins with the best (see
            `trial`). Several codes begin where they are drawn.
        trial: iterations that each of the `starts` is searched with before the search begins, with the one that has
            come nearest; 0 takes the one that is nearest as it was drawn. They come on top of `iterations`.
        sphere: whether codes stay on the sphere of radius sqrt(d), as PULSE's do (Menon et al., CVPR 2020).
        iterations: at most.
        seconds: after which a search ends though it has iterations left; None for no such budget. It makes results
            depend on the machine.
        learning_rate: of Adam, at its highest.
        schedule: `cosine` rises at first and falls to 0 at the end; `constant` is the paper's.
        window: iterations whose mean loss is compared with that of the window before.
        early_stop: relative improvement of that mean below which a search ends; 0 never does.
        checkpoint: iterations between two states that are kept; 0 keeps none on the way.
        chunk: codes whose features are computed at once; further ones are computed again for the gradient, so that
            memory does not grow with their number but for the composed layer's maps. 0 computes all at once.

    Raises:
        ValueError: a value is not one of these.
    """

    codes: int = 1
    layer: int = 1
    space: str = "z"
    importance: Importance = "channels"
    starts: int = 16
    trial: int = 30
    sphere: bool = False
    iterations: int = 1000
    seconds: float | None = None
    learning_rate: float = 0.1
    schedule: Schedule = "cosine"
    window: int = 50
    early_stop: float = 0.0
    checkpoint: int = 100
    chunk: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("codes", 1),
            ("starts", 1),
            ("layer", 0),
            ("trial", 0),
            ("iterations", 1),
            ("window", 2),
            ("checkpoint", 0),
        ):
            _whole(name, getattr(self, name), least)
        _whole("chunk", self.chunk, 0)
        if self.importance not in get_args(Importance):
            raise ValueError(f"importance: {self.importance!r} found, expected channels or full")
        if self.importance == "full" and self.codes != 1:
            raise ValueError(f"importance: full found with {self.codes} codes; expected one code, or channels")
        if self.schedule not in get_args(Schedule):
            raise ValueError(f"schedule: {self.schedule!r} found, expected cosine or constant")
        if self.sphere and self.space != "z":
            raise ValueError(f"sphere: found with codes in {self.space}; normal codes, and so a sphere, are in z")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0.0):
            raise ValueError(f"learning_rate: {self.learning_rate!r} found, expected a number above 0")
        if not 0.0 <= self.early_stop < 1.0:
            raise ValueError(f"early_stop: {self.early_stop!r} found, expected a number from 0, below 1")
        if self.seconds is not None and not self.seconds > 0.0:
            raise ValueError(f"seconds: {self.seconds!r} found, expected a number above 0, or None")

    def rate(self, iteration: int) -> float:
        """The learning rate of an iteration, counted from 0."""
        if self.schedule == "constant":
            return self.learning_rate
        done = iteration / self.iterations
        rise = min(1.0, (iteration + 1) / max(1.0, WARM * self.iterations))
        fall = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1.0 - done) / DECAY))
        return self.learning_rate * rise * fall


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}: {value!r} found, expected a whole number from {least}")
