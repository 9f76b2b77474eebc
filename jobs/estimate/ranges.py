"""Numbers with a range, and how wide it is: totals over strata with a slope on bytes, and shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.9
"""How often the truth is meant to lie inside a range."""
Z = 1.6448536269514722
"""Quantile 0.95 of the standard normal distribution: each end of a range is passed in one case of twenty."""
ALONE = 0.5
"""Standard deviation over mean that is taken for granted where one value alone says nothing of it."""


@dataclass(frozen=True)
class Range:
    """A number that is not known exactly.

    Attributes:
        low: lower end of the range, at least 0.
        point: the most likely value.
        high: upper end.
    """

    low: float
    point: float
    high: float

    def times(self, factor: float) -> Range:
        """All three, multiplied by a factor of at least 0."""
        return Range(self.low * factor, self.point * factor, self.high * factor)

    def plus(self, constant: float) -> Range:
        """All three, and a constant that is known exactly."""
        return Range(self.low + constant, self.point + constant, self.high + constant)

    def plain(self, digits: int = 4) -> dict[str, float]:
        """As JSON values with so many significant digits."""
        return {name: significant(getattr(self, name), digits) for name in ("low", "point", "high")}


NOTHING = Range(0.0, 0.0, 0.0)


def exactly(value: float) -> Range:
    """A number without any doubt."""
    return Range(value, value, value)


def around(point: float, half: float) -> Range:
    """From `half` below to `half` above a point, not below 0."""
    return Range(max(0.0, point - half), point, point + half)


def added(ranges: Sequence[Range]) -> Range:
    """The sum of numbers whose errors have nothing to do with each other: half widths add as squares."""
    low = math.sqrt(sum((each.point - each.low) ** 2 for each in ranges))
    high = math.sqrt(sum((each.high - each.point) ** 2 for each in ranges))
    point = sum(each.point for each in ranges)
    return Range(max(0.0, point - low), point, point + high)


def significant(value: float, digits: int) -> float:
    """A number with so many significant digits."""
    return float(f"{value:.{digits}g}")


def t_quantile(freedom: float) -> float:
    """Quantile 0.95 of Student's t distribution.

    Exact for 1 and 2 degrees of freedom, else the expansion of Fisher and Cornish (1960), right to 0.3 % from 3 on.
    """
    if freedom < 2:
        return math.tan(math.pi * 0.45)
    if freedom < 3:
        return 0.9 * math.sqrt(2 / (1 - 0.9**2))
    z, v = Z, freedom
    terms = (
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
    )
    return z + sum(terms)


@dataclass(frozen=True)
class Group:
    """A stratum and what was found for the records that were tried of it.

    Attributes:
        records: how many it holds.
        bytes: of all of them.
        sizes: (n,) bytes of those tried.
        values: (n,) what was found for each.
    """

    records: int
    bytes: float
    sizes: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Total:
    """A sum over all records.

    Attributes:
        range: of it.
        each: part of the sum for each record, whatever its size.
        byte: part of the sum for each byte.
    """

    range: Range
    each: float
    byte: float


def total_of(groups: Sequence[Group]) -> Total:
    """Estimate a sum over all records from those that were tried.

    The combined regression estimator of stratified sampling (Cochran, Sampling Techniques, 3rd ed., section 7.10): the
    strata's means, each corrected by how far the bytes of the tried records lie from those of all, with one slope for
    all strata, never below 0. The variance is the stratified jackknife's (Jones, 1974): how the sum changes as one
    tried record after the other is left out, the slope among what changes, with the finite population correction;
    degrees of freedom after Satterthwaite (1946). A stratum of which one record was tried is given the relative spread
    of the others. A stratum of which none was tried takes the mean of all tried.

    Args:
        groups: at least one of them with a value.
    """
    slope, point = _sum(groups)
    half = _half_width(groups)
    records, size = sum(group.records for group in groups), sum(group.bytes for group in groups)
    byte = slope if slope * size <= point else 0.0
    each = (point - byte * size) / records if records else 0.0
    return Total(around(point, half), each, byte)


def _sum(groups: Sequence[Group]) -> tuple[float, float]:
    """The slope and the sum over all records."""
    tried = [group for group in groups if group.values.size]
    slope = _slope(tried)
    overall = sum(group.values.sum() for group in tried) / sum(group.values.size for group in tried)
    return slope, float(sum(_sum_of(group, slope, overall) for group in groups))


def _sum_of(group: Group, slope: float, otherwise: float) -> float:
    if not group.values.size:
        return group.records * otherwise
    corrected = slope * (group.bytes - group.records * float(group.sizes.mean()))
    return max(0.0, group.records * float(group.values.mean()) + corrected)


def _slope(groups: Sequence[Group]) -> float:
    """Of values on bytes inside the strata, each record counting for those that it stands for."""
    above = below = 0.0
    for group in groups:
        off = group.sizes - group.sizes.mean()
        weight = group.records / group.values.size
        above += weight * float(off @ (group.values - group.values.mean()))
        below += weight * float(off @ off)
    return max(0.0, above / below) if below > 0 else 0.0


def _half_width(groups: Sequence[Group]) -> float:
    """Half the width of the range of a sum."""
    variances = [_variance(groups, index) for index in range(len(groups))]
    relative = [
        variance * group.values.size / (group.records * float(group.values.mean())) ** 2
        for group, variance in zip(groups, variances, strict=True)
        if variance is not None and group.values.mean()
    ]
    usual = sum(relative) / len(relative) if relative else ALONE**2
    whole = below = 0.0
    for group, variance in zip(groups, variances, strict=True):
        count = group.values.size
        if not count:
            continue
        if variance is None:
            variance = usual * (group.records * float(group.values.mean())) ** 2  # noqa: PLW2901 - now it is known
        variance *= max(0.0, 1 - count / group.records)  # noqa: PLW2901
        whole += variance
        below += variance**2 / max(1, count - 1)
    return t_quantile(whole**2 / below) * math.sqrt(whole) if below > 0 else 0.0


def _variance(groups: Sequence[Group], index: int) -> float | None:
    """Of the sum, as far as one stratum's records make it uncertain; None where fewer than two were tried."""
    group = groups[index]
    count = group.values.size
    if count < 2:
        return None
    sums = []
    for left_out in range(count):
        kept = np.arange(count) != left_out
        less = replace(group, sizes=group.sizes[kept], values=group.values[kept])
        sums.append(_sum([*groups[:index], less, *groups[index + 1 :]])[1])
    return float((count - 1) / count * np.square(np.array(sums) - np.mean(sums)).sum())


def share_of(hits: float, count: int, whole: float = math.inf) -> Range:
    """A share of which `hits` of `count` were found; the range is Wilson's (1927), without its centre.

    Args:
        hits: 0 to `count`; a fraction where tried records stand for different numbers of others.
        count: at least 1.
        whole: how many there are in all; the range shrinks as more of them were tried (finite population correction).
    """
    left = math.sqrt(max(0.0, 1 - count / whole))
    share = hits / count
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2)) / (1 + Z**2 / count)
    low, high = max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
    return Range(share - left * (share - low), share, share + left * (high - share))
