"""All pairs of 64-bit hashes within a Hamming distance, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

_BITS = 64
_WIDEST = 22
"""Bits of a band at the most: its table of places has 2^22 entries of 8 bytes."""
_CHUNK = 1 << 20
"""Candidates that are compared at once."""
_CROWD = 256
"""Hashes of a bucket from which on it is compared in squares."""
_SQUARE = 1024
_PROBE_COST = 1.5
"""What a lookup of one hash costs, in comparisons of a candidate (measured at a million hashes)."""


@dataclass(frozen=True)
class _Band:
    """Bits that are looked up together.

    Attributes:
        bits: their places in the hash.
        radius: differences within these bits up to which pairs are looked for; -1 looks for none.
    """

    bits: tuple[int, ...]
    radius: int

    @property
    def masks(self) -> list[int]:
        """Values that differ from 0 in at most `radius` bits."""
        places = range(len(self.bits))
        return [sum(1 << bit for bit in some) for size in range(self.radius + 1) for some in combinations(places, size)]


@dataclass(frozen=True)
class _Table:
    """Hashes in order of their values in a band.

    Attributes:
        order: (n,) numbers of the hashes.
        hashes: (n,) in this order.
        values: (n,) int64, what the band holds of each; ascending.
        starts: (2^bits + 1,) int64: hashes with the value v stand from starts[v] up to starts[v + 1].
    """

    order: Indices
    hashes: Hashes
    values: Indices
    starts: Indices

    @staticmethod
    def of(hashes: Hashes, bits: tuple[int, ...]) -> _Table:
        """Sort hashes by some of their bits."""
        values = _values(hashes, bits)
        order = np.argsort(values, kind="stable").astype(np.int64)
        starts = np.zeros((1 << len(bits)) + 1, dtype=np.int64)
        np.cumsum(np.bincount(values, minlength=1 << len(bits)), out=starts[1:])
        return _Table(order, hashes[order], values[order], starts)

    def bucket(self, value: int) -> range:
        """Places of the hashes with a value."""
        return range(int(self.starts[value]), int(self.starts[value + 1]))


def near_pairs(hashes: Hashes, distance: int, others: Hashes | None = None) -> Iterator[tuple[Indices, Indices]]:
    """Find all pairs within a distance, in pieces; a pair may come more than once.

    Multi-index hashing (M. Norouzi, A. Punjani and D. Fleet, "Fast Exact Search in Hamming Space with Multi-Index
    Hashing", IEEE TPAMI 36 (2014)): bits are dealt to m bands. With distance = m r + a, two hashes within it differ by
    at most r in one of the first a + 1 bands, or by at most r - 1 in one of the others; so only hashes that are that
    near in a band are compared. m is chosen by the expected number of comparisons.

    Memory is bounded by the number of hashes, and time by the number of pairs that are near in a band: hand over
    distinct hashes, since equal ones alone make it quadratic.

    Args:
        hashes: (n,) uint64.
        distance: most bits in which two hashes differ, 0 to 64.
        others: (k,) uint64: pairs of one of `hashes` and one of these are looked for; without them, pairs within
            `hashes`.

    Yields:
        Two (p,) int64 arrays of numbers: of hashes and of others, or both of hashes, but never one with itself.

    Raises:
        ValueError: hashes of another type or shape, or a distance out of range.
    """
    for given in (hashes, *(() if others is None else (others,))):
        if given.ndim != 1 or given.dtype != np.uint64:
            raise ValueError(f"hashes of shape {given.shape} and type {given.dtype}: expected (n,) uint64")
    if not 0 <= distance <= _BITS:
        raise ValueError(f"distance {distance}: expected 0 to {_BITS}")
    swap = others is not None and len(others) < len(hashes)
    left, right = (others, hashes) if others is not None and swap else (hashes, others)
    if not len(left) or (right is not None and not len(right)):
        return
    for band in _bands(len(left), distance, None if right is None else len(right)):
        if band.radius >= 0:
            for first, second in _near_in_band(left, right, band, distance):
                yield (second, first) if swap else (first, second)


def bit_distance(first: Hashes, second: Hashes) -> NDArray[np.uint8]:
    """Number of bits in which hashes differ pairwise; shapes are broadcast."""
    differing = first ^ second
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(differing), dtype=np.uint8)
    return _counted(differing)


def _counted(values: Hashes) -> NDArray[np.uint8]:
    """Bits that are set, for NumPy before 2.0: sums of ever longer pieces of the word side by side."""
    for shift, mask in ((1, 0x5555555555555555), (2, 0x3333333333333333), (4, 0x0F0F0F0F0F0F0F0F)):
        pieces = np.uint64(mask)
        values = (values & pieces) + ((values >> np.uint64(shift)) & pieces)
    return np.asarray((values * np.uint64(0x0101010101010101)) >> np.uint64(56), dtype=np.uint8)


def _bands(n: int, distance: int, others: int | None = None) -> list[_Band]:
    """The cut into bands that should cost least for n evenly spread hashes, and as many others."""
    partners = (n - 1) / 2.0 if others is None else float(others)
    fewest = -(-_BITS // _WIDEST)
    cuts = [_cut(count, distance) for count in range(fewest, max(fewest, min(distance + 1, _BITS)) + 1)]
    return min(cuts, key=lambda bands: _cost(n, partners, bands))


def _cut(count: int, distance: int) -> list[_Band]:
    """Bits in turn to each band, so that neighbouring coefficients of a picture are in different ones."""
    radius, rest = divmod(distance, count)
    return [
        _Band(tuple(range(band, _BITS, count)), min(radius - (band > rest), len(range(band, _BITS, count))))
        for band in range(count)
    ]


def _cost(n: int, partners: float, bands: list[_Band]) -> float:
    cost = 0.0
    for band in bands:
        probes = sum(comb(len(band.bits), size) for size in range(band.radius + 1))
        cost += probes * n * (_PROBE_COST + partners / 2.0 ** len(band.bits))
    return cost


def _near_in_band(
    hashes: Hashes, others: Hashes | None, band: _Band, distance: int
) -> Iterator[tuple[Indices, Indices]]:
    """Near pairs among those whose values in a band differ by one of its masks."""
    rows = _Table.of(hashes, band.bits)
    columns = rows if others is None else _Table.of(others, band.bits)
    for mask in band.masks:
        partner = rows.values ^ mask
        begin, end = columns.starts[partner], columns.starts[partner + 1]
        crowded = end - begin >= _CROWD
        if others is None and mask:
            end = np.where(rows.values < partner, end, begin)  # each couple of buckets once
        elif others is None:
            begin = np.arange(1, len(hashes) + 1)  # each couple within a bucket once
        for first, second in _ranges(begin, np.where(crowded, begin, end)):
            near = bit_distance(rows.hashes[first], columns.hashes[second]) <= distance
            if near.any():
                yield rows.order[first[near]], columns.order[second[near]]
        for value in np.unique(rows.values[crowded]).tolist():
            if others is not None or value <= value ^ mask:
                yield from _near_in_squares(rows, columns, value, mask, distance)


def _near_in_squares(
    rows: _Table, columns: _Table, value: int, mask: int, distance: int
) -> Iterator[tuple[Indices, Indices]]:
    """Near pairs of two buckets, or within one. Without a list of candidates it goes ten times as fast."""
    down, across = rows.bucket(value), columns.bucket(value ^ mask)
    same = rows is columns and mask == 0
    for top in range(down.start, down.stop, _SQUARE):
        upper = rows.hashes[top : min(top + _SQUARE, down.stop), np.newaxis]
        for left in range(top if same else across.start, across.stop, _SQUARE):
            lower = columns.hashes[np.newaxis, left : min(left + _SQUARE, across.stop)]
            first, second = np.nonzero(bit_distance(upper, lower) <= distance)
            first, second = first + top, second + left
            keep = first < second if same else np.s_[:]
            yield rows.order[first[keep]], columns.order[second[keep]]


def _values(hashes: Hashes, bits: tuple[int, ...]) -> Indices:
    """(n,) int64: the given bits of each hash, side by side."""
    values = np.zeros(len(hashes), dtype=np.uint64)
    for place, bit in enumerate(bits):
        values |= ((hashes >> np.uint64(bit)) & np.uint64(1)) << np.uint64(place)
    return values.astype(np.int64)


def _ranges(begin: Indices, end: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of each number with all in its range, at most `_CHUNK` at a time; longer ranges are cut."""
    lengths = end - begin
    some = np.flatnonzero(lengths > 0)
    begin, totals = begin[some], np.cumsum(lengths[some])
    pairs = int(totals[-1]) if len(some) else 0
    for start in range(0, pairs, _CHUNK):
        stop = min(start + _CHUNK, pairs)
        first, last = np.searchsorted(totals, [start, stop - 1], side="right")
        rows = np.arange(first, last + 1)
        before = totals[rows] - lengths[some[rows]]
        counts = np.minimum(totals[rows], stop) - np.maximum(before, start)
        row = np.repeat(rows, counts)
        place = np.arange(start, stop) - np.repeat(before, counts)
        yield some[row], begin[row] + place
