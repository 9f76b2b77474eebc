"""From numbers of single pictures to what is said of each method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.gather import Gathered, OfMethod
from jobs.evaluate.plan import Plan
from jobs.evaluate.spool import Spool
from operators.evaluation.bootstrap import Interval, intervals
from operators.evaluation.gaussians import frechet_distance
from operators.evaluation.kernel import KernelDistance, kernel_distance
from operators.evaluation.table import PICTURE_MEASURES, Measure


@dataclass(frozen=True)
class MeasureSummary:
    """One measure.

    Attributes:
        measure: which.
        pictures: over how many: those on which every method has it that has it on any.
        values: by method; None for one that has it on none.
        truth: of the truth itself on these pictures, where the measure needs no truth.
        differences: by method, to the one that all are compared with; empty where there is none.
    """

    measure: Measure
    pictures: int
    values: Mapping[str, Interval | None]
    truth: Interval | None
    differences: Mapping[str, Interval]

    @property
    def best(self) -> frozenset[str]:
        """Methods with the best mean, as far as it is shown."""
        means = {name: round(one.mean, self.measure.digits) for name, one in self.values.items() if one is not None}
        if not means:
            return frozenset()
        best = max(means.values()) if self.measure.better == "higher" else min(means.values())
        return frozenset(name for name, mean in means.items() if mean == best)


@dataclass(frozen=True)
class SetSummary:
    """How far a method's pictures are from good ones as a set.

    Attributes:
        pictures: of the method.
        fid: None with fewer than two pictures.
        kid: None with fewer than four.
    """

    pictures: int
    fid: float | None
    kid: KernelDistance | None


@dataclass(frozen=True)
class Sets:
    """Distances between sets.

    Attributes:
        dimensions: of the features.
        reference: how many good pictures there are.
        methods: by name.
    """

    dimensions: int
    reference: int
    methods: Mapping[str, SetSummary]


@dataclass(frozen=True)
class Summary:
    """Everything that tables say.

    Attributes:
        measures: in order.
        sets: None where sets are not compared.
        against: the method that others are compared with; empty for none.
    """

    measures: tuple[MeasureSummary, ...]
    sets: Sets | None
    against: str


def summarise(plan: Plan, gathered: Gathered, against: str, rounds: int) -> Summary:
    """Work out means, intervals and distances.

    Args:
        plan: what was asked.
        gathered: all numbers.
        against: name of the method that others are compared with; empty for none.
        rounds: samples of the bootstrap.
    """
    seed = plan.settings.seed
    measures = tuple(
        _measure(PICTURE_MEASURES[name], gathered, against, seed, rounds)
        for name in plan.settings.measures
        if plan.truth is not None or not PICTURE_MEASURES[name].paired
    )
    return Summary(measures, _sets(gathered, seed), against)


def _measure(measure: Measure, gathered: Gathered, against: str, seed: int, rounds: int) -> MeasureSummary:
    columns = {name: method.column(measure.name) for name, method in gathered.methods.items()}
    having = [name for name, column in columns.items() if np.isfinite(column).any()]
    values: dict[str, Interval | None] = dict.fromkeys(columns)
    if not having:
        return MeasureSummary(measure, 0, values, _truth(measure, gathered.truth, None, seed, rounds), {})
    table = np.stack([columns[name] for name in having], axis=1)
    whole: NDArray[np.bool_] = np.asarray(np.isfinite(table).all(axis=1))
    truth = _truth(measure, gathered.truth, whole, seed, rounds)
    if not whole.any():
        return MeasureSummary(measure, 0, values, truth, {})
    table = table[whole]
    values |= dict(zip(having, intervals(table, seed, rounds), strict=True))
    differences: dict[str, Interval] = {}
    if against in having:
        apart = table - table[:, [having.index(against)]]
        found = dict(zip(having, intervals(apart, seed, rounds), strict=True))
        differences = {name: one for name, one in found.items() if name != against}
    return MeasureSummary(measure, len(table), values, truth, differences)


def _truth(
    measure: Measure, truth: OfMethod | None, whole: NDArray[np.bool_] | None, seed: int, rounds: int
) -> Interval | None:
    if truth is None or measure.paired:
        return None
    column = truth.column(measure.name)
    known = np.isfinite(column)
    chosen = column[known if whole is None else known & whole]
    return intervals(chosen[:, None], seed, rounds)[0] if len(chosen) else None


def _sets(gathered: Gathered, seed: int) -> Sets | None:
    good = gathered.reference or gathered.truth
    if good is None or good.spool is None:
        return None
    found = {
        name: _distances(method.spool, good.spool, seed)
        for name, method in gathered.methods.items()
        if method.spool is not None
    }
    return Sets(good.spool.dimensions, good.spool.count, found)


def _distances(spool: Spool, good: Spool, seed: int) -> SetSummary:
    least = min(spool.count, good.count)
    fid = kid = None
    if least >= 2 and spool.moments is not None and good.moments is not None:
        fid = frechet_distance(spool.moments, good.moments)
    if least >= 4:
        kid = kernel_distance(spool.rows(), good.rows(), seed)
    return SetSummary(spool.count, fid, kid)
