"""Connected components of links that come in pieces, in memory that does not grow with their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_WAITING = 1 << 20


class Components:
    """Union-find over 0..n-1 for arrays of links.

    Links that say nothing new are dropped as they come, the others wait until there are a million of them: then the
    larger root of each link is hung below the smaller one, all at once, until no link joins two roots.

    Args:
        n: number of members.
    """

    def __init__(self, n: int) -> None:
        self._roots = np.arange(n, dtype=np.int64)
        self._first: list[Indices] = []
        self._second: list[Indices] = []
        self._waiting = 0

    def link(self, first: Indices, second: Indices) -> None:
        """Join members pairwise.

        Args:
            first: (k,) int64.
            second: (k,) int64.
        """
        new = self._roots[first] != self._roots[second]
        if not new.any():
            return
        self._first.append(first[new])
        self._second.append(second[new])
        self._waiting += len(self._first[-1])
        if self._waiting >= _WAITING:
            self._settle()

    def roots(self) -> Indices:
        """(n,) int64: the least member of each one's component."""
        self._settle()
        return np.array(self._roots, dtype=np.int64)

    def _settle(self) -> None:
        if not self._waiting:
            return
        first, second = np.concatenate(self._first), np.concatenate(self._second)
        self._first, self._second, self._waiting = [], [], 0
        while True:
            left, right = self._roots[first], self._roots[second]
            new = left != right
            if not new.any():
                return
            first, second, left, right = first[new], second[new], left[new], right[new]
            np.minimum.at(self._roots, np.maximum(left, right), np.minimum(left, right))
            self._flatten()

    def _flatten(self) -> None:
        """Let each member point at its root; roots only ever point at lesser ones, so there is no circle."""
        while True:
            above = self._roots[self._roots]
            if np.array_equal(above, self._roots):
                return
            self._roots = above
