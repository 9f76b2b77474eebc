"""Poisson draws for means that are 8-bit levels, by a table of their inverse distribution functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Generator
from operators.degradations.normals import sixteen_bits

_BITS = 13
"""Of a random number that choose the cell of a table; 8192 cells leave a draw or two of 100 to a search."""
_UNCLEAR = np.uint16(0x8000)
"""Added to the count of a cell in which the result depends on more bits."""


def poisson(levels: NDArray[np.uint8], white: int, generator: Generator) -> NDArray[np.uint16]:
    """Poisson counts.

    By inversion, exact to the 53 bits of a double: 13 bits of a random number choose a cell in which the inverse of the
    distribution function is nearly always one count; where it is not, 53 more bits are drawn and the count is searched
    for (the guide table of Chen and Asau 1974; Devroye, "Non-Uniform Random Variate Generation", 1986, III.2.4).

    Args:
        levels: any shape, uint8; the mean is `white` at 255, in proportion below.
        white: counts at white, 1 to 256.
        generator: to draw from.

    Returns:
        Counts, of the shape of the levels.
    """
    table = _table(white)
    flat = levels.ravel()
    cells = sixteen_bits(generator, flat.size) >> np.uint16(16 - _BITS)
    where = flat.astype(np.intp)
    where <<= _BITS
    where |= cells
    counts = table.counts.take(where)
    unclear = np.flatnonzero(counts >= _UNCLEAR)
    counts[unclear] = _searched(table, flat[unclear], counts[unclear] - _UNCLEAR, cells[unclear], generator)
    return counts.reshape(levels.shape)


@dataclass(frozen=True)
class _Table:
    """Inverse distribution functions of all levels.

    Attributes:
        counts: (256 x cells) uint16, the lowest count of each cell of each level, plus 32768 where there are more.
        sums: the distribution function of each level, plus the level; all levels in a row.
        starts: (256,) where each level begins there.
    """

    counts: NDArray[np.uint16]
    sums: NDArray[np.float64]
    starts: NDArray[np.intp]


def _searched(
    table: _Table,
    levels: NDArray[np.uint8],
    lowest: NDArray[np.uint16],
    cells: NDArray[np.uint16],
    generator: Generator,
) -> NDArray[np.intp]:
    """Counts where a cell has several, from the lowest one on."""
    chance = levels + (cells + generator.random(levels.size)) * 2.0**-_BITS
    starts = table.starts[levels]
    where = starts + lowest
    # Most cells hold the border of two counts; those of the tails hold more.
    where += table.sums[where] <= chance
    beyond = np.flatnonzero(table.sums[where] <= chance)
    # The levels follow each other with 1 between them, so that one search serves all.
    where[beyond] = np.searchsorted(table.sums, chance[beyond], side="right")
    return where - starts


@lru_cache(maxsize=9)
def _table(white: int) -> _Table:
    cells = 1 << _BITS
    counts, sums, starts = np.empty((256, cells), dtype=np.uint16), [], [0]
    for level in range(256):
        line = _distribution(level * white / 255.0)
        # Borders of counts up to where a cell begins, and up to where it ends.
        first, last = (
            np.cumsum(np.bincount(where.astype(np.intp), minlength=cells))[:cells]
            for where in (np.ceil(line * cells), np.floor(line * cells))
        )
        counts[level] = first + np.where(first == last, 0, _UNCLEAR)
        sums.append(level + line)
        starts.append(starts[-1] + line.size)
    return _Table(counts.ravel(), np.concatenate(sums), np.array(starts[:-1], dtype=np.intp))


def _distribution(mean: float) -> NDArray[np.float64]:
    """P(N <= n) for n = 0, 1, ... up to where it is 1 in doubles; the last is exactly 1."""
    if mean == 0.0:
        return np.ones(1)
    most = math.ceil(mean + 10.0 * math.sqrt(mean) + 20.0)
    line = np.cumsum([math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(most)])
    line = np.minimum(line, 1.0)
    line[-1] = 1.0
    return np.asarray(line)
