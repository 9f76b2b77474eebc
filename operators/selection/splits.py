"""Which part a group goes to, and in what order and how often samples are used."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Weights = NDArray[np.float64]

_HEAVY = 0.5
"""Of the smallest part's wish: from this weight on a group is dealt out by itself."""


def assign(
    labels: Indices, weights: NDArray[np.float64], parts: Mapping[str, float], seed: int, names: Sequence[str]
) -> list[str]:
    """Give each sample a part so that groups stay whole.

    Groups heavier than half of what the smallest part should get come first, the heaviest first, each to the part that
    lacks most: so a giant group goes to the largest part. All others are laid end to end in the order of a hash of seed
    and name, the parts, in order of their names, on the same line with the shares they still lack, and a group goes to
    the part in which its middle lies.

    Each part's weight is off what was asked by the heaviest group's weight at the most. Another weight w of samples
    moves the place of a light group by a share of w / W of the line at the most, W being all weight: only groups nearer
    than that to one of the cuts can change sides, as long as no group becomes heavy or ceases to be.

    Args:
        labels: (n,) int64 group of each sample, 0 to len(names) - 1, each used.
        weights: (n,) float64 of each sample, 0 or more; its number of pairs, or 1.
        parts: shares by name, positive; they are divided by their sum.
        seed: of the job.
        names: of each group, all different: of a group that stays the same name, so that it stays where it is.

    Returns:
        A part's name for each sample. It depends on neither the order of samples, nor of groups, nor of parts.

    Raises:
        ValueError: no parts, a share that is not positive, names that repeat, or lengths that do not fit.
    """
    _check(labels, weights, parts, names)
    part_names = sorted(parts)
    shares = np.array([parts[name] for name in part_names], dtype=np.float64)
    heft = np.bincount(labels, weights=weights, minlength=len(names))
    order = _hash_order("group", seed, names)
    lacking = shares / shares.sum() * heft.sum()
    heavy = heft > _HEAVY * lacking.min()
    chosen = np.zeros(len(names), dtype=np.int64)
    for group in order[np.argsort(-heft[order], kind="stable")]:
        if not heavy[group]:
            break
        chosen[group] = int(np.argmax(lacking))
        lacking[chosen[group]] -= heft[group]
    light = order[~heavy[order]]
    chosen[light] = _laid_out(heft[light], np.maximum(lacking, 0.0))
    return [part_names[part] for part in chosen[labels].tolist()]


def leaks(values: Sequence[Hashable | None], parts: Sequence[str]) -> list[Hashable]:
    """Find what is on both sides of a split.

    Args:
        values: of each sample, what must not be in two parts, such as the person; None is passed over.
        parts: of as many samples, from `assign`.

    Returns:
        The values that occur in more than one part, in order of their first sample; none where the split holds.
    """
    first_part: dict[Hashable, str] = {}
    leaking: dict[Hashable, None] = {}
    for value, part in zip(values, parts, strict=True):
        if value is not None and first_part.setdefault(value, part) != part:
            leaking[value] = None
    return [value for value in first_part if value in leaking]


def numbering(keys: Sequence[str], seed: int) -> Indices:
    """Number samples in the order of SHA-256 of seed and key.

    Args:
        keys: of the n samples, all different.
        seed: of the job.

    Returns:
        (n,) int64: 0 to n - 1, each once. A sample's place among others depends on seed and key alone.

    Raises:
        ValueError: two samples have one key.
    """
    numbers = np.empty(len(keys), dtype=np.int64)
    numbers[_hash_order("sample", seed, keys)] = np.arange(len(keys))
    return numbers


def spread(total: int, numbers: Indices) -> Indices:
    """Say how many pairs each sample gives, as evenly as can be.

    Args:
        total: pairs that are wished, 0 or more.
        numbers: (n,) int64 from `numbering`; of some of the samples, too: those with the least numbers get one more.

    Returns:
        (n,) int64 that add up to `total`; they differ by one at the most.

    Raises:
        ValueError: total is negative, or there is no sample to make it of.
    """
    if total < 0 or (total and not len(numbers)):
        raise ValueError(f"total {total} of {len(numbers)} samples: expected 0 or more, and a sample to make them of")
    if not total:
        return np.zeros(len(numbers), dtype=np.int64)
    each, more = divmod(total, len(numbers))
    variants = np.full(len(numbers), each, dtype=np.int64)
    variants[np.argsort(numbers, kind="stable")[:more]] += 1
    return variants


def shards(n_pairs: int, most: int) -> list[range]:
    """Cut a row of pairs into as few pieces as can be, whose sizes differ by one at the most.

    Args:
        n_pairs: 0 or more.
        most: pairs that a piece may have, 1 or more.

    Returns:
        The pieces in order, the larger ones first; none for no pairs.

    Raises:
        ValueError: a number is too small.
    """
    if n_pairs < 0 or most < 1:
        raise ValueError(f"{n_pairs} pairs in pieces of {most}: expected 0 pairs or more, and pieces of 1 or more")
    count = -(-n_pairs // most)
    edges = [0]
    for piece in range(count):
        edges.append(edges[-1] + n_pairs // count + (piece < n_pairs % count))
    return [range(start, end) for start, end in pairwise(edges)]


def _laid_out(heft: Weights, lacking: Weights) -> Indices:
    """Part of each group, by where its middle lies when the groups, in this order, fill the parts one after another."""
    if not lacking.any():
        return np.zeros(len(heft), dtype=np.int64)
    middles = np.cumsum(heft) - heft / 2.0
    cuts = np.cumsum(lacking) / lacking.sum() * heft.sum()
    last = int(np.flatnonzero(lacking)[-1])
    return np.minimum(np.searchsorted(cuts, middles, side="right"), last).astype(np.int64)


def _hash_order(what: str, seed: int, keys: Sequence[str]) -> Indices:
    """(n,): numbers of the keys, in the order of SHA-256 of what they are, seed and key."""
    begun = sha256(f"{what}\n{seed}\n".encode())
    digests = bytearray()
    for key in keys:
        hashed = begun.copy()
        hashed.update(key.encode("utf-8", "surrogatepass"))
        digests += hashed.digest()
    words = np.frombuffer(bytes(digests), dtype=">u8").reshape(len(keys), 4)
    order = np.lexsort(words.T[::-1])
    sorted_words = words[order]
    same = np.flatnonzero((sorted_words[1:] == sorted_words[:-1]).all(axis=1))
    if same.size:
        raise ValueError(f"two {what}s are named {keys[order[same[0]]]!r}: expected names that differ")
    return order.astype(np.int64)


def _check(labels: Indices, weights: Weights, parts: Mapping[str, float], names: Sequence[str]) -> None:
    if not parts:
        raise ValueError("no parts: expected at least one name with its share")
    for name, share in parts.items():
        if not 0.0 < share < float("inf"):
            raise ValueError(f"part {name!r} has the share {share}: expected a positive number")
    if len(labels) != len(weights):
        raise ValueError(f"{len(labels)} labels and {len(weights)} weights: expected as many")
    used = np.bincount(labels, minlength=len(names))
    if len(used) != len(names) or not used.all():
        raise ValueError(f"{len(names)} names for labels from 0 to {len(used) - 1}: expected one for each, each used")
    if not (np.isfinite(weights).all() and (weights >= 0.0).all()):
        raise ValueError("found a weight that is negative or not finite: expected 0 or more")
