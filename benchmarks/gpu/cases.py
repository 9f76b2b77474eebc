"""What is measured, in which order: the first cases are those that a short session must not miss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

How = Literal[
    "published",
    "eager",
    "eager, TF32",
    "compile",
    "compile, autotuned",
    "compile, cuDNN benchmark",
    "aot",
    "aot, one batch size",
    "aot, autotuned",
    "tensorrt",
    "tensorrt_rtx",
]


@dataclass(frozen=True)
class Case:
    """One child process of the benchmark.

    Attributes:
        name: unique; for `--only` and the report.
        kind: what the child does.
        network: which generator, where there is one.
        how: what runs it.
        settings: (precision, batch), the most telling first, since a case may run out of its time.
        seconds: most time it may take.
    """

    name: str
    kind: Literal["floors", "engine", "kernels", "whole"]
    network: str = ""
    how: How | Literal[""] = ""
    settings: tuple[tuple[str, int], ...] = ()
    seconds: float = 60.0


@dataclass(frozen=True)
class Child:
    """What a child is told.

    Attributes:
        case: what to measure.
        device: `cpu`, `cuda` or `cuda:N`.
        tiny: tiny networks and scans, to try the script out.
        results: file of results.
        workers: CPU processes of the whole-image path.
        path_seconds: how long it begins scans.
    """

    case: Case
    device: str
    tiny: bool
    results: Path
    workers: int
    path_seconds: float


def _settings(batches: tuple[int, int, int], *precisions: str) -> tuple[tuple[str, int], ...]:
    """Every precision at the middle batch, then every one at the small and the large batch."""
    small, middle, large = batches
    return tuple((precision, batch) for batch in (middle, small, large) for precision in precisions)


def cases(tiny: bool) -> tuple[Case, ...]:
    """All cases, most important first.

    Args:
        tiny: batch sizes and precisions for tiny networks on a CPU, on which fp16 takes seconds.
    """
    batches = (1, 2, 4) if tiny else (1, 8, 16)
    small, middle, large = batches
    precisions = ("bf16", "fp32") if tiny else ("bf16", "fp16", "fp32")
    every = _settings(batches, *precisions)
    # Each precision is compiled anew, each batch size of `compile` too.
    compiled = tuple(("bf16", batch) for batch in (middle, small, large))
    others = tuple((precision, middle) for precision in precisions[1:])
    gfpgan = (
        _engine("gfpgan-512", "compile", compiled + others, 90),
        _engine("gfpgan-512", "aot", compiled, 110),
        _engine("gfpgan-512", "eager", every, 40),
        _engine("gfpgan-512", "published", every, 40),
        _engine("gfpgan-512", "tensorrt", every, 120),
        _engine("gfpgan-512", "tensorrt_rtx", every, 90),
    )
    gpen = tuple(_engine("gpen-512", case.how, case.settings, case.seconds) for case in gfpgan)
    once = (("bf16", middle),)
    trials = tuple(
        _engine(network, how, (("fp32", middle),) if how == "eager, TF32" else once, seconds)
        for network in ("gfpgan-512", "gpen-512")
        for how, seconds in _TRIALS
    )
    return (
        Case("floors", "floors", seconds=40),
        *gfpgan,
        Case("whole-image path", "whole", "gfpgan-512", "compile", once, 80),
        Case("kernels", "kernels", "gfpgan-512", "compile", once, 45),
        *gpen,
        *trials,
    )


_TRIALS: tuple[tuple[How, float], ...] = (
    ("eager, TF32", 25),
    ("compile, cuDNN benchmark", 60),
    ("compile, autotuned", 100),
    ("aot, one batch size", 90),
    ("aot, autotuned", 200),
)
"""Ways that facejobs does not go, to see what they would give; after all others, with whatever time is left."""


def _engine(network: str, how: How | Literal[""], settings: tuple[tuple[str, int], ...], seconds: float) -> Case:
    return Case(f"{network}: {how}", "engine", network, how, settings, seconds)
