"""Features of all pictures: their moments in memory, and themselves on the local disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.evaluation.gaussians import Moments

_ROWS = 256
"""Vectors that wait in memory until they are written."""


class Spool:
    """Vectors as they come; memory does not grow with their number.

    Args:
        path: of a file of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[NDArray[np.float32]] = []
        self._moments: Moments | None = None

    @property
    def moments(self) -> Moments | None:
        """Of all vectors; None before the first."""
        self._write()
        return self._moments

    @property
    def count(self) -> int:
        """How many there are."""
        return 0 if self.moments is None else self.moments.count

    @property
    def dimensions(self) -> int:
        """Of each; 0 before the first."""
        return 0 if self.moments is None else self.moments.mean.size

    def add(self, vector: NDArray[np.float32]) -> None:
        """Take one in."""
        self._waiting.append(np.asarray(vector, np.float32))
        if len(self._waiting) >= _ROWS:
            self._write()

    def rows(self) -> NDArray[np.float32]:
        """(N, dimensions), read from the disk where it is looked at."""
        if self.count == 0:
            return np.empty((0, 0), np.float32)
        return np.memmap(self._path, np.float32, "r", shape=(self.count, self.dimensions))

    def _write(self) -> None:
        if not self._waiting:
            return
        rows = np.stack(self._waiting)
        self._waiting.clear()
        if self._moments is None:
            self._moments = Moments(rows.shape[1])
        self._moments.add(rows)
        with self._path.open("ab") as file:
            file.write(rows.tobytes())
