"""Numbers to a histogram whose range and scale are those of the recipe."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.pairs.report.data import Numbers
from jobs.pairs.report.outline import leaves, share_below, span
from operators.degradations.distributions import Integer, LogUniform

LEAST_BARS, MOST_BARS = 8, 32
LOG_FACTOR = 50.0
"""Where no recipe says so, values above 0 get a logarithmic axis when the largest is so many times the smallest."""


def histogram(drawn: NDArray[np.float64], value: Any) -> Numbers:
    """Count numbers in bins.

    Args:
        drawn: (n,) at least one.
        value: the recipe's constant or distribution of them; None where it is not known.

    Returns:
        Bins over the range that the recipe allows, or over what was drawn.
    """
    below = share_below(value)
    low, high = span(leaves(value)) if below is not None else (float(drawn.min()), float(drawn.max()))
    low, high = min(low, float(drawn.min())), max(high, float(drawn.max()))
    logarithmic = _logarithmic(low, high, value)
    edges = _edges(low, high, drawn, value, logarithmic=logarithmic)
    counts, _ = np.histogram(drawn, edges)
    expected: tuple[float, ...] = ()
    if below is not None:
        # A bin has its lower border and not its upper one, so what matters is the share just below each.
        shares = [0.0, *(below(math.nextafter(float(edge), -math.inf)) for edge in edges[1:-1]), 1.0]
        expected = tuple(float(share) for share in np.diff(shares))
    low5, middle, high5 = (float(level) for level in np.quantile(drawn, (0.05, 0.5, 0.95)))
    return Numbers(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        expected=expected,
        logarithmic=logarithmic,
        total=int(drawn.size),
        quantiles=(low5, middle, high5),
    )


def _logarithmic(low: float, high: float, value: Any) -> bool:
    if low <= 0.0 or high <= low:
        return False
    if share_below(value) is None:
        return high / low >= LOG_FACTOR
    return any(isinstance(leaf, LogUniform) for leaf in leaves(value))


def _edges(
    low: float, high: float, drawn: NDArray[np.float64], value: Any, *, logarithmic: bool
) -> NDArray[np.float64]:
    """Borders of bins, as many as Rice's rule asks for; whole numbers lie in the middle of theirs."""
    bars = min(max(math.ceil(2 * drawn.size ** (1 / 3)), LEAST_BARS), MOST_BARS)
    step = _step(drawn, value)
    if step and high / max(abs(low), 1.0) < 1e15:
        width = step * max(1, math.ceil(((high - low) / step + 1) / bars))
        count = math.floor((high - low) / width) + 1
        return np.asarray(low - step / 2 + width * np.arange(count + 1), dtype=np.float64)
    if high <= low:
        slack = abs(low) * 0.5 or 0.5
        low, high, logarithmic = low - slack, high + slack, False
    if logarithmic:
        edges = np.geomspace(low, high, bars + 1)
        edges[0], edges[-1] = low, high  # rounding must not leave the ends out
        return edges
    return np.linspace(low, high, bars + 1)


def _step(drawn: NDArray[np.float64], value: Any) -> int:
    """Distance of whole numbers; 0 for what is not whole."""
    if value is None:
        return 1 if bool(np.all(drawn == np.rint(drawn))) and np.unique(drawn[:1000]).size > 1 else 0
    steps = []
    for leaf in leaves(value):
        if isinstance(leaf, Integer):
            steps.append(leaf.step)
        elif not (isinstance(leaf, int) and not isinstance(leaf, bool)):
            return 0
    if len(steps) == len(leaves(value)) == 1:
        return steps[0]
    return 1
