"""What `benchmarks.inversion` runs, in the order of its worth: a budget that ends early leaves the last ones out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operators.inversion.options import SearchOptions
from operators.inversion.tasks import Task

FACTOR = 16.0
HOLE = 0.25
"""Side of the square that is inpainted, as a share of the picture's."""


@dataclass(frozen=True)
class Run:
    """One search for all faces.

    Attributes:
        task: what is done.
        label: heading of its column.
        options: of the search; iterations are set later.
        feature_weight: lambda of the perceptual term.
    """

    task: Task
    label: str
    options: SearchOptions
    feature_weight: float = 0.1


def one(space: str = "w", *, sphere: bool = False, rate: float = 0.05) -> SearchOptions:
    """A single code, which begins where it is drawn, as the papers' do."""
    return SearchOptions(importance="full", space=space, starts=1, sphere=sphere, learning_rate=rate, checkpoint=0)


def many(codes: int, layer: int, rate: float = 0.05) -> SearchOptions:
    """Several codes in w; where their features are large they are computed in parts."""
    chunk = 15 if layer >= 13 else 0
    return SearchOptions(codes=codes, layer=layer, space="w", learning_rate=rate, checkpoint=0, chunk=chunk)


DEFAULT_LAYER: Mapping[Task, int] = {"reconstruct": 9, "super_resolve": 7, "colorize": 9, "inpaint": 5}
"""MobileStyleGAN's layers 5, 7 and 9 have 16, 32 and 64 pixels."""


def plan() -> tuple[Run, ...]:
    """All runs."""
    runs: list[Run] = []
    for task, layer in DEFAULT_LAYER.items():
        runs += [Run(task, "1 code, w", one()), Run(task, f"20 codes, layer {layer}", many(20, layer))]
    runs += [
        Run("reconstruct", "10 codes, layer 9", many(10, 9)),
        Run("reconstruct", "30 codes, layer 9", many(30, 9)),
        Run("reconstruct", "20 codes, layer 5", many(20, 5)),
        Run("reconstruct", "20 codes, layer 7", many(20, 7)),
        Run("reconstruct", "20 codes, layer 11", many(20, 11)),
        Run("super_resolve", "sphere in z (PULSE)", one("z", sphere=True, rate=0.1)),
        Run("inpaint", "20 codes, layer 9", many(20, 9)),
        Run("colorize", "20 codes, layer 5", many(20, 5)),
        Run("super_resolve", "20 codes, layer 5", many(20, 5)),
        Run("super_resolve", "20 codes, layer 9", many(20, 9)),
        Run("reconstruct", "1 code, w+", one("w+")),
        Run("reconstruct", "1 code, z", one("z", rate=0.1)),
        Run("reconstruct", "20 codes, layer 9, MSE only", many(20, 9), 0.0),
        Run("reconstruct", "20 codes, layer 9, rate 0.1", many(20, 9, 0.1)),
        Run("reconstruct", "20 codes, layer 9, rate 0.02", many(20, 9, 0.02)),
        Run("inpaint", "20 codes, layer 7", many(20, 7)),
        Run("colorize", "20 codes, layer 11", many(20, 11)),
        Run("reconstruct", "20 codes, layer 13", many(20, 13)),
    ]
    return tuple(runs)
