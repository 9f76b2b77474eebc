"""KID: the distance between two sets of pictures, by a kernel on their features, without bias in small sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.evaluation.bootstrap import LEVEL, percentiles

SUBSETS, SUBSET = 100, 1000
"""Subsets and their size at most, as in the paper's program."""


@dataclass(frozen=True)
class KernelDistance:
    """What subsets say.

    Attributes:
        mean: over subsets.
        low: end of the middle 95 % of them.
        high: likewise.
        subsets: how many.
        size: of each.
    """

    mean: float
    low: float
    high: float
    subsets: int
    size: int


def squared_discrepancy(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy with the kernel k(x, y) = (x . y / d + 1)^3.

    Gretton et al., "A Kernel Two-Sample Test", JMLR 13 (2012), equation 3, where samples may differ in number; the
    kernel is that of Binkowski et al., "Demystifying MMD GANs" (ICLR 2018), section 4.

    Args:
        first: (M, d), M at least 2.
        second: (N, d), N at least 2.

    Returns:
        About 0 for two sets of the same kind; it may be negative.

    Raises:
        ValueError: a set is smaller, or the dimensions differ.
    """
    m, n = len(first), len(second)
    if min(m, n) < 2 or first.shape[1] != second.shape[1]:
        raise ValueError(f"features of shapes {first.shape} and {second.shape}: expected two rows or more, equal width")
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    within_x, within_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    return float(
        (within_x.sum() - np.trace(within_x)) / (m * (m - 1))
        + (within_y.sum() - np.trace(within_y)) / (n * (n - 1))
        - 2.0 * across.mean()
    )


def kernel_distance(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    seed: int,
    subsets: int = SUBSETS,
    size: int = SUBSET,
) -> KernelDistance:
    """KID over random subsets.

    Args:
        first: (M, d), M at least 4; may lie on a disk (`numpy.memmap`), of which subsets are read.
        second: (N, d), likewise.
        seed: of the choice of subsets.
        subsets: how many.
        size: of each; at most half of the smaller set, so that subsets differ.

    Raises:
        ValueError: a set has fewer than 4 rows.
    """
    size = min(size, min(len(first), len(second)) // 2)
    if size < 2:
        raise ValueError(f"KID of {len(first)} and {len(second)} pictures: expected 4 or more of each")
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(subsets):
        chosen = [np.sort(generator.choice(len(side), size, replace=False)) for side in (first, second)]
        found.append(squared_discrepancy(first[chosen[0]], second[chosen[1]]))
    samples = np.asarray(found)[:, None]
    low, high = percentiles(samples, LEVEL)
    return KernelDistance(float(samples.mean()), float(low[0]), float(high[0]), subsets, size)


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3, np.float64)
