"""How sure a mean over pictures is: the percentile bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

ROUNDS = 1000
LEVEL = 0.95
_ELEMENTS = 1 << 22
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Interval:
    """A mean and where it would lie with other pictures of the same kind.

    Attributes:
        mean: over the pictures.
        low: lower end; None with fewer than two pictures.
        high: upper end, likewise.
        count: of pictures.
    """

    mean: float
    low: float | None
    high: float | None
    count: int


def resampled_means(values: Values, seed: int, rounds: int = ROUNDS) -> Values:
    """Means of samples that are drawn with replacement; all columns with the same draws, so that they can be compared.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 13. The draws depend on seed, number
    of rows and round alone.

    Args:
        values: (N, K), a row a picture, N at least 1.
        seed: of the draws.
        rounds: how many samples.

    Returns:
        (rounds, K).
    """
    count, columns = values.shape
    generator = np.random.default_rng(seed)
    means = np.empty((rounds, columns), np.float64)
    step = max(1, _ELEMENTS // (count * max(1, columns)))
    for start in range(0, rounds, step):
        chosen = generator.integers(0, count, (min(step, rounds - start), count))
        means[start : start + len(chosen)] = values[chosen].mean(axis=1)
    return means


def intervals(values: Values, seed: int, rounds: int = ROUNDS, level: float = LEVEL) -> list[Interval]:
    """Means of columns with their percentile intervals.

    Args:
        values: (N, K), a row a picture, N at least 1; finite.
        seed: of the draws.
        rounds: how many samples are drawn.
        level: share of them within the interval.

    Returns:
        K of them.

    Raises:
        ValueError: there is no row, or a value is not finite.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"values of shape {values.shape}: expected finite ones, a row or more")
    means = values.mean(axis=0)
    if len(values) < 2:
        return [Interval(float(mean), None, None, len(values)) for mean in means]
    lows, highs = percentiles(resampled_means(values, seed, rounds), level)
    return [
        Interval(float(mean), float(low), float(high), len(values))
        for mean, low, high in zip(means, lows, highs, strict=True)
    ]


def percentiles(samples: Values, level: float = LEVEL) -> tuple[Values, Values]:
    """Ends of the middle `level` of each column, (K,) each."""
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)
