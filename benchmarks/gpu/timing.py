"""Times on a GPU by its own events, on a CPU by the clock; always after warm-ups, always medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

WARM_UPS = 3
LEAST_ROUNDS = 5
MOST_ROUNDS = 50


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call.

    Attributes:
        median: of all rounds.
        fastest: of all rounds.
        slowest: of all rounds.
        rounds: how many.
    """

    median: float
    fastest: float
    slowest: float
    rounds: int


def timed(call: Callable[[], Any], device: str, seconds: float = 1.5) -> Timing:
    """Time a call.

    Args:
        call: what to time; on a GPU it launches on the current stream.
        device: `cpu`, `cuda` or `cuda:N`.
        seconds: how long to repeat it, between 5 and 50 times.

    Returns:
        What was measured.
    """
    for _ in range(WARM_UPS):
        call()
    once = _round_cuda if device != "cpu" else _round_cpu
    found: list[float] = []
    until = time.perf_counter() + seconds
    while len(found) < LEAST_ROUNDS or (time.perf_counter() < until and len(found) < MOST_ROUNDS):
        found.append(once(call))
    return Timing(statistics.median(found), min(found), max(found), len(found))


def _round_cuda(call: Callable[[], Any]) -> float:
    begun, ended = [
        torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        for _ in range(2)
    ]
    torch.cuda.synchronize()
    begun.record()
    call()
    ended.record()
    ended.synchronize()
    return float(begun.elapsed_time(ended))


def _round_cpu(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e3
