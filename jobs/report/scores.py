"""Gathering the scores of any number of faces in constant memory."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jobs.report.data import Distribution, Series
from jobs.report.measures import BINS, Measure

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class ScoreAccumulator:
    """Takes pairs of values of one measure and keeps only their histogram.

    Bins are fixed by the measure, so memory is constant and the result does not depend on the order of the values
    (but for the last digits of the mean). A value that is None, NaN or infinite counts as missing.
    """

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._edges = bin_edges(measure)
        self._before = _SeriesAccumulator(self._edges)
        self._after = _SeriesAccumulator(self._edges)
        self._improved = 0
        self._worsened = 0

    def add(self, before: float | None, after: float | None) -> None:
        """Take one face.

        Args:
            before: its value before restoration; ignored for a measure that compares both.
            after: its value after restoration, or the comparison.
        """
        self.add_many([math.nan if before is None else before], [math.nan if after is None else after])

    def add_many(self, before: ArrayLike, after: ArrayLike) -> None:
        """Take many faces at once, as the columns of a table hold them.

        Args:
            before: (N,) values before restoration, NaN for missing ones.
            after: (N,) values after restoration, NaN for missing ones.

        Raises:
            ValueError: when the two differ in length.
        """
        first = np.asarray(before, dtype=np.float64).ravel()
        second = np.asarray(after, dtype=np.float64).ravel()
        if first.shape != second.shape:
            raise ValueError(
                f"{first.size} values before and {second.size} after: they must be pairs of the same faces"
            )
        self._after.add(second)
        if not self._measure.paired:
            return
        self._before.add(first)
        both = np.isfinite(first) & np.isfinite(second)
        rise = int(np.count_nonzero(second[both] > first[both]))
        fall = int(np.count_nonzero(second[both] < first[both]))
        if self._measure.better == "higher":
            self._improved, self._worsened = self._improved + rise, self._worsened + fall
        elif self._measure.better == "lower":
            self._improved, self._worsened = self._improved + fall, self._worsened + rise

    def distribution(self) -> Distribution:
        """What has been gathered so far."""
        return Distribution(
            edges=tuple(self._edges.tolist()),
            after=self._after.series(),
            before=self._before.series() if self._measure.paired else None,
            improved=self._improved,
            worsened=self._worsened,
        )


def bin_edges(measure: Measure) -> NDArray[np.float64]:
    """Borders of a measure's bins.

    Args:
        measure: gives range and scale.

    Returns:
        (BINS + 1,) float64, ascending, in the measure's unit.
    """
    if measure.scale == "log":
        return np.geomspace(measure.low, measure.high, BINS + 1)
    return np.linspace(measure.low, measure.high, BINS + 1)


class _SeriesAccumulator:
    """One side of a pair."""

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self._edges = edges
        self._counts = np.zeros(edges.size - 1, dtype=np.int64)
        self._outside = 0
        self._missing = 0
        self._sum = 0.0
        self._minimum = math.inf
        self._maximum = -math.inf

    def add(self, values: NDArray[np.float64]) -> None:
        finite = values[np.isfinite(values)]
        self._missing += values.size - finite.size
        if finite.size == 0:
            return
        self._outside += int(np.count_nonzero((finite < self._edges[0]) | (finite > self._edges[-1])))
        # The top border belongs to the last bin, as in numpy.histogram.
        bins = np.clip(np.searchsorted(self._edges, finite, side="right") - 1, 0, self._counts.size - 1)
        self._counts += np.bincount(bins, minlength=self._counts.size)
        self._sum += float(finite.sum())
        self._minimum = min(self._minimum, float(finite.min()))
        self._maximum = max(self._maximum, float(finite.max()))

    def series(self) -> Series:
        total = int(self._counts.sum())
        if total == 0:
            return Series(tuple(self._counts.tolist()), 0, self._missing, None, None, None, {})
        return Series(
            counts=tuple(self._counts.tolist()),
            outside=self._outside,
            missing=self._missing,
            minimum=self._minimum,
            maximum=self._maximum,
            mean=self._sum / total,
            quantiles={level: self._quantile(level) for level in QUANTILES},
        )

    def _quantile(self, level: float) -> float:
        """Linear inside the bin where the cumulated count passes `level`; never outside what was seen."""
        cumulated = np.concatenate([[0], np.cumsum(self._counts)])
        wanted = level * cumulated[-1]
        index = int(np.clip(np.searchsorted(cumulated, wanted, side="right") - 1, 0, self._counts.size - 1))
        share = (wanted - cumulated[index]) / max(int(self._counts[index]), 1)
        value = self._edges[index] + share * (self._edges[index + 1] - self._edges[index])
        return float(min(max(value, self._minimum), self._maximum))
