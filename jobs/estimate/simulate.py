"""When the last of a list of units is done, if pools of workers take them one by one."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_SIMULATED = 200_000
"""Units that are followed one by one; of more, the tail hardly matters."""


@dataclass(frozen=True)
class Station:
    """A pool of workers that each unit passes.

    Attributes:
        workers: how many.
        seconds: (n,) that each unit takes one of them, in the order of the plan.
    """

    workers: int
    seconds: NDArray[np.float64]


def makespan(stations: Sequence[Station]) -> float:
    """Seconds from the first unit's beginning to the last unit's end.

    Each worker takes the unit that has come first and does nothing else until it is done; a unit waits for the next
    pool as long as it must. Nothing is divided: a pool with more workers than units left has idle ones.

    Args:
        stations: in the order in which units pass them, all with equally many units.
    """
    units = stations[0].seconds.size
    if not units:
        return 0.0
    if units > MOST_SIMULATED:
        longest = max(float(station.seconds.sum()) / station.workers for station in stations)
        return longest + sum(float(station.seconds.mean()) for station in stations)
    arrivals = np.zeros(units)
    order = np.arange(units)
    for station in stations:
        done = _passed(arrivals, station.seconds[order], station.workers)
        kept = np.argsort(done, kind="stable")
        arrivals, order = done[kept], order[kept]
    return float(arrivals[-1])


def _passed(arrivals: NDArray[np.float64], seconds: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    """When each unit leaves a pool; units in the order of their arrival."""
    free = [0.0] * min(workers, arrivals.size)
    done = np.empty(arrivals.size)
    for index, (arrival, taken) in enumerate(zip(arrivals.tolist(), seconds.tolist(), strict=True)):
        end = max(arrival, heapq.heappop(free)) + taken
        done[index] = end
        heapq.heappush(free, end)
    return done
