"""Which samples are copies of which, and which one of them stays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.selection.hamming import Hashes, bit_distance, near_pairs

Indices = NDArray[np.int64]

NEAR = 4
"""Most bits, of 64, in which perceptual hashes of two copies differ."""

_FIRST = 4096
_GROWTH = 4


def preference(pixels: NDArray[np.int64], sharpness: NDArray[np.float64], keys: Sequence[str]) -> Indices:
    """Rank samples by which copy should stay: most pixels, then the sharpest, then the least key.

    Args:
        pixels: (n,) int64 of each sample's source.
        sharpness: (n,) float64; NaN comes after all others.
        keys: n names, all different.

    Returns:
        (n,) int64: 0 for the one to be preferred to all, up to n - 1.
    """
    if not len(pixels) == len(sharpness) == len(keys):
        raise ValueError(f"{len(pixels)} sizes, {len(sharpness)} sharpnesses, {len(keys)} keys: expected as many")
    by_key = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    order = by_key[np.lexsort((-sharpness[by_key], -pixels[by_key]))]
    return _inverse(order)


def exact_duplicates(sha256: Sequence[Hashable], rank: Indices) -> Indices:
    """Find samples with the same bytes.

    Args:
        sha256: of each sample's source, or whatever is equal for equal ones, such as source and place in it.
        rank: (n,) int64 from `preference`.

    Returns:
        (n,) int64: for each sample the one that is kept of its copies; itself where it is kept.

    Raises:
        ValueError: hashes and ranks differ in number.
    """
    _check_ranks(len(sha256), rank)
    best: dict[Hashable, int] = {}
    order = np.argsort(rank, kind="stable").tolist()
    copy_of = np.empty(len(rank), dtype=np.int64)
    for number in order:
        copy_of[number] = best.setdefault(sha256[number], number)
    return copy_of


def near_duplicates(hashes: Hashes, distance: int, rank: Indices) -> Indices:
    """Find samples that look the same as one that is kept.

    As if samples were gone through by rank and each were kept that is near none of those kept before. So no two kept
    ones are near, each dropped one is near the kept one that is named, and a chain of small changes does not join two
    pictures that differ.

    Args:
        hashes: (n,) uint64 from `perceptual_hash`.
        distance: most bits in which copies differ, 0 to 64.
        rank: (n,) int64 from `preference`, all different.

    Returns:
        (n,) int64: for each sample the kept one that it is a copy of, the nearest, of equally near ones the one of
        least rank; itself where it is kept.

    Raises:
        ValueError: as `near_pairs`, or hashes and ranks differ in number.
    """
    _check_ranks(len(hashes), rank)
    if not len(hashes):
        return np.empty(0, dtype=np.int64)
    order = np.argsort(rank, kind="stable")
    # Equal hashes first, by sorting: of each the best, in order of rank. The rest works on places in this order.
    _, firsts, inverse = np.unique(hashes[order], return_index=True, return_inverse=True)
    places = np.argsort(firsts)
    distinct = hashes[order[firsts[places]]]
    copies = _near_distinct(distinct, distance)
    copy_of = np.empty(len(hashes), dtype=np.int64)
    copy_of[order] = order[firsts[places]][copies[_inverse(places)[inverse.reshape(-1)]]]
    return copy_of


def kept(copy_of: Indices) -> NDArray[np.bool_]:
    """(n,) bool: which samples stay, given what each is a copy of."""
    return np.asarray(copy_of == np.arange(len(copy_of)))


def copies(copy_of: Indices) -> Iterable[tuple[int, int]]:
    """Each dropped sample with the one that it is a copy of, in order of samples."""
    dropped = np.flatnonzero(~kept(copy_of))
    return zip(dropped.tolist(), copy_of[dropped].tolist(), strict=True)


def _check_ranks(n: int, rank: Indices) -> None:
    if n != len(rank):
        raise ValueError(f"{n} hashes and {len(rank)} ranks: expected as many")


def _near_distinct(hashes: Hashes, distance: int) -> Indices:
    """What `near_duplicates` returns for different hashes in order of rank.

    The best few thousand first, then four times as many, and so on; before each step, those are taken out that are near
    a kept one. So a crowd of pictures that are all alike costs its number and not its square.
    """
    copy_of = np.arange(len(hashes), dtype=np.int64)
    stays = np.zeros(len(hashes), dtype=np.bool_)
    waiting, size = copy_of.copy(), _FIRST
    while len(waiting):
        part, waiting = waiting[:size], waiting[size:]
        winners = part[_winners(hashes[part], distance)]
        stays[winners] = True
        covered = np.zeros(len(waiting), dtype=np.bool_)
        for _, second in near_pairs(hashes[winners], distance, hashes[waiting]):
            covered[second] = True
        waiting, size = waiting[~covered], size * _GROWTH
    keepers, dropped = np.flatnonzero(stays), np.flatnonzero(~stays)
    copy_of[dropped] = keepers[_nearest(hashes[dropped], hashes[keepers], distance)]
    return copy_of


def _winners(hashes: Hashes, distance: int) -> NDArray[np.bool_]:
    """(n,): which are kept if the first ones are preferred.

    Whoever has no better neighbour is kept, and its neighbours are dropped; then again with those that are left. Pairs
    are found anew in each round, so that they need not be held.
    """
    stays = np.zeros(len(hashes), dtype=np.bool_)
    waiting = np.arange(len(hashes))
    while len(waiting):
        part = hashes[waiting]
        best = _best_neighbour(part, distance)
        winners = best > np.arange(len(part))
        stays[waiting[winners]] = True
        losers = np.flatnonzero(~winners)
        dropped = np.zeros(len(losers), dtype=np.bool_)
        # Only winners that somebody is near can drop somebody.
        for _, second in near_pairs(part[winners & (best < len(part))], distance, part[losers]):
            dropped[second] = True
        waiting = waiting[losers[~dropped]]
    return stays


def _best_neighbour(hashes: Hashes, distance: int) -> Indices:
    """(n,): the least neighbour of each; n where it has none."""
    best = np.full(len(hashes), len(hashes), dtype=np.int64)
    for first, second in near_pairs(hashes, distance):
        np.minimum.at(best, first, second)
        np.minimum.at(best, second, first)
    return best


def _nearest(hashes: Hashes, keepers: Hashes, distance: int) -> Indices:
    """(n,): the nearest of the keepers for each hash, the first of equally near ones; each has one in reach."""
    # Distance and number in one integer, the distance first.
    nearest = np.full(len(hashes), np.iinfo(np.int64).max, dtype=np.int64)
    for first, second in near_pairs(hashes, distance, keepers):
        bits = bit_distance(hashes[first], keepers[second]).astype(np.int64)
        np.minimum.at(nearest, first, bits * len(keepers) + second)
    return nearest % max(len(keepers), 1)


def _inverse(order: Indices) -> Indices:
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places
