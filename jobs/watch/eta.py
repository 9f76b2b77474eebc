"""How long a run will still take, as a range that its own course supports.

The units that ended since work began after the last pause are put in the order of their end and cut into up to 24
blocks of equally many units; each block has a pace, in seconds a record. Blocks are drawn with replacement 300 times
(the bootstrap; B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979), and each draw gives two answers, or
three:

- the pace stays as it was in the last quarter of the blocks, and the blocks to come scatter around it likewise;
- the pace goes on changing as it did: a straight line through the drawn blocks but the first, in which work was begun,
  is followed for as many records as it was seen over, and no further than to a quarter or eight times the pace of now.
  Where 39 of 40 draws agree on whether work slows down or speeds up, a third answer follows it to the last record.

The range goes from the 5th percentile of the lowest answer to the 95th of the highest one, and one slow unit is added
at its end, since the last units leave workers without work. The estimate is the mean of the first two answers' medians.
What has never happened yet (a machine that goes away, records of another kind at the end) is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BLOCKS = 24
DRAWS = 300
LEAST_UNITS = 12
LEAST_SECONDS = 20.0
LEAST_SHARE = 0.01
"""Before so many units, seconds, and this share of the records since the last pause nothing is said."""


@dataclass(frozen=True)
class Eta:
    """Time left.

    Attributes:
        state: `known`; `too_early` for an estimate; `reading` while commits of before are still read; `idle` when
            nobody is at work; `done` when nothing is left.
        seconds: left from now; None unless known.
        low: the range's lower end.
        high: its upper end.
    """

    state: Literal["known", "too_early", "reading", "idle", "done"]
    seconds: float | None = None
    low: float | None = None
    high: float | None = None


def estimate(
    ends: NDArray[np.float64], records: NDArray[np.int64], left: int, *, silent: float = 0.0, slow_unit: float = 0.0
) -> Eta:
    """Estimate the time left.

    Args:
        ends: (n,) seconds after the beginning of work at which units ended, ascending.
        records: (n,) of each unit.
        left: records that have no outcome yet.
        silent: seconds since the last unit ended.
        slow_unit: seconds of a slow unit.

    Returns:
        The estimate; `too_early` where there is too little to go by.
    """
    if left <= 0:
        return Eta("done", 0.0, 0.0, 0.0)
    done = int(records.sum())
    if ends.size < LEAST_UNITS or ends[-1] < LEAST_SECONDS or done < LEAST_SHARE * (done + left):
        return Eta("too_early")
    paces, middles = _blocks(ends, records)
    answers = _answers(paces, middles, float(done), float(left))
    low = min(float(np.quantile(answer, 0.05)) for answer in answers)
    high = max(float(np.quantile(answer, 0.95)) for answer in answers)
    middle = sum(float(np.median(answer)) for answer in answers[:2]) / 2.0
    # The answers count from the last commit on; that a unit is due any moment is no reason to say less than nothing.
    floor = float(ends[-1]) / ends.size / 2.0
    low, middle, high = (max(answer - silent, floor) for answer in (low, middle, high))
    return Eta("known", middle, low, high + slow_unit)


def _blocks(ends: NDArray[np.float64], records: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds a record of each block, and the records that were done in its middle."""
    count = min(BLOCKS, ends.size // 3)
    borders = np.linspace(0, ends.size, count + 1).astype(int)
    reached = np.concatenate(([0.0], ends))[borders]
    sums = np.concatenate(([0], np.cumsum(records)))[borders].astype(float)
    sizes = np.maximum(np.diff(sums), 1.0)
    return np.maximum(np.diff(reached), 1e-6) / sizes, (sums[1:] + sums[:-1]) / 2.0


def _answers(
    paces: NDArray[np.float64], middles: NDArray[np.float64], done: float, left: float
) -> list[NDArray[np.float64]]:
    """Two or three times (DRAWS,) seconds that are left; the same for the same course."""
    random = np.random.default_rng(0)
    last = paces[-max(len(paces) // 4, 3) :]
    steady = last[random.integers(0, last.size, (DRAWS, last.size))].mean(axis=1)
    drawn = random.integers(1, paces.size, (DRAWS, paces.size - 1))
    x, y = middles[drawn], paces[drawn]
    from_middle = x - x.mean(axis=1, keepdims=True)
    spread = (from_middle**2).sum(axis=1)
    slope = (from_middle * y).sum(axis=1) / np.where(spread > 0.0, spread, np.inf)
    mean = last.mean()
    # As many blocks as are left go their own ways as well, and not only the ones that were seen.
    coming = min(max(round(left / done * paces.size), 1), 4 * BLOCKS)
    chance = (last - mean)[random.integers(0, last.size, (DRAWS, coming))].mean(axis=1)

    def pace(at: float) -> NDArray[np.float64]:
        line = y.mean(axis=1) + slope * (at - x.mean(axis=1))
        paced: NDArray[np.float64] = np.clip(np.clip(line, mean / 4.0, mean * 8.0) + chance, mean / 8.0, None)
        return paced

    ahead = min(done, left)
    then = pace(done + ahead)
    changing = (pace(done) + then) / 2.0 * ahead + then * (left - ahead)
    answers = [np.maximum(steady + chance, mean / 8.0) * left, changing]
    if max((slope > 0).mean(), (slope < 0).mean()) >= 0.975:
        answers.append((pace(done) + pace(done + left)) / 2.0 * left)
    return answers
