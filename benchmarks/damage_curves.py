"""Precision and recall of a map at every threshold, counted once in histograms."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

BINS = 256
Plane = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Point:
    """One threshold of a curve; precision and recall are NaN where there is nothing to count."""

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 where they are 0 or nothing could be counted."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total > 0.0 else 0.0


def _zeros() -> NDArray[np.int64]:
    return np.zeros(BINS, dtype=np.int64)


@dataclass
class Curve:
    """Counts of pixels by the map's value, in 256 steps.

    Attributes:
        found: truth's pixels, by the value with which the map finds them.
        right: the map's pixels that count as right, by their value.
        wrong: those that count as wrong.
    """

    found: NDArray[np.int64] = field(default_factory=_zeros)
    right: NDArray[np.int64] = field(default_factory=_zeros)
    wrong: NDArray[np.int64] = field(default_factory=_zeros)

    def add(self, values: Plane, truth: Flags, ignored: Flags | None = None, tolerance: int = 0) -> None:
        """Count one picture.

        Args:
            values: (H, W) float32 in [0, 1].
            truth: (H, W), where damage is.
            ignored: (H, W), pixels that are neither right nor wrong.
            tolerance: pixels by which a found pixel may lie beside the truth, and truth beside what was found.
        """
        levels = np.floor(np.clip(values, 0.0, 1.0) * np.float32(BINS - 1)).astype(np.uint8)
        reached, near = levels, truth
        if tolerance:
            square = np.ones((2 * tolerance + 1,) * 2, dtype=np.uint8)
            reached = np.asarray(cv2.dilate(levels, square), dtype=np.uint8)
            near = cv2.dilate(truth.astype(np.uint8), square) > 0
        counted = np.ones_like(truth) if ignored is None else ~ignored | truth
        self.found += _counts(reached, truth)
        self.right += _counts(levels, near & counted)
        self.wrong += _counts(levels, ~near & counted)

    def at(self, threshold: float) -> Point:
        """Precision and recall where values of the threshold and more are taken as damage."""
        first = min(BINS - 1, max(0, int(np.ceil(threshold * (BINS - 1)))))
        found, right, wrong = (int(counts[first:].sum()) for counts in (self.found, self.right, self.wrong))
        truth = int(self.found.sum())
        precision = right / (right + wrong) if right + wrong else float("nan")
        return Point(first / (BINS - 1), precision, found / truth if truth else float("nan"))

    def points(self) -> list[Point]:
        """All thresholds from the lowest above 0."""
        return [self.at(step / (BINS - 1)) for step in range(1, BINS)]

    def at_precision(self, least: float) -> Point:
        """The point of most recall among those of at least this precision; of most precision where there is none."""
        points = [point for point in self.points() if point.precision == point.precision]
        good = [point for point in points if point.precision >= least]
        if good:
            return max(good, key=lambda point: point.recall)
        return max(points, key=lambda point: point.precision, default=Point(1.0, float("nan"), float("nan")))

    def best(self) -> Point:
        """The point of the largest F1."""
        return max(self.points(), key=lambda point: point.f1)


def _counts(levels: NDArray[np.uint8], where: Flags) -> NDArray[np.int64]:
    counts = cv2.calcHist([levels], [0], where.astype(np.uint8), [BINS], [0, BINS])
    return np.asarray(np.rint(counts).ravel(), dtype=np.int64)
