"""Which samples must stay together, so that no person or picture is on both sides of a split."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.selection.hamming import near_pairs
from operators.selection.joining import Components, Indices

Links = NDArray[np.int64]
"""(k, 2) int64: pairs of sample numbers that stay together."""

SAME_PERSON = 0.425
"""Cosine of two SFace features from which on they count as one person. OpenCV's 0.363 is for one pair of pictures;
among 477 persons it chains almost all into one group (`benchmarks/splits.py`)."""
RELIABLE_CONFIDENCE = 0.92
"""Detector's confidence below which SFace tells blurred faces from each other no better than strangers."""
RELIABLE_SHARPNESS = 0.07
"""Sharpness of the aligned face, as the scorer measures it, below which it is the same."""

_BLOCK = 2048
_MANY = 4 * _BLOCK
"""Pairs of a block from which on it is worth asking which are joined already: those of a person with many pictures."""
_ROUNDING = 1e-5
"""More than a sum of 128 float32 products of unit vectors can be off, whatever the order of the sum."""


def reliable(confidence: NDArray[np.float64], sharpness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which faces are clear enough for a feature to say whose they are.

    Features of very blurred faces are all alike and unlike those of the same person's sharp pictures: they join
    strangers and part what belongs together. They should be given to `same_person` as NaN.

    Args:
        confidence: (n,) of the detector, 0 to 1.
        sharpness: (n,) of the aligned faces, 0 to 1, from `operators.scoring`; NaN counts as blurred.

    Returns:
        (n,) bool.
    """
    return np.asarray((confidence >= RELIABLE_CONFIDENCE) & (sharpness >= RELIABLE_SHARPNESS))


def placeable(labels: Indices, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which samples can be put on a side of a split without the risk that their person is on the other.

    Args:
        labels: (n,) int64 from `groups`.
        known: (n,) bool: of which samples it is known whose they are: by a reliable feature, or from a catalogue.

    Returns:
        (n,) bool: whether any sample of the group is known. The others should be left out where there are several
        parts: nobody knows whose they are.
    """
    if len(labels) != len(known):
        raise ValueError(f"{len(labels)} labels and {len(known)} samples that are known or not: expected as many")
    return np.asarray(np.bincount(labels, weights=known)[labels] > 0) if len(labels) else np.zeros(0, np.bool_)


def same_person(features: NDArray[np.float32], threshold: float = SAME_PERSON) -> Links:
    """Link samples whose faces look alike, directly or over others (single linkage).

    Chains are followed on purpose: only so no two samples above the threshold can come to lie in two groups. What they
    cost is seen in `largest_share`. All pairs are compared, in blocks of 2048 x 2048; a product that is within float32
    rounding of the threshold is taken again in float64, so that no order and no block decides it.

    Args:
        features: (n, 128) float32 unit vectors; a row with NaN has no feature, or no `reliable` one, and links to
            nothing.
        threshold: cosine in [-1, 1] from which on two samples belong together.

    Returns:
        (k, 2) int64, one row for each sample but the first of its component: that first one, and the sample. Rows are
        in order of the sample.

    Raises:
        ValueError: features are of another shape or type, or a row is no unit vector.
    """
    known = _known(features)
    vectors = np.ascontiguousarray(features[known])
    components = Components(len(vectors))
    for first, second in _alike(vectors, threshold, components):
        components.link(first, second)
    return _links(components, known)


def same_picture(hashes: NDArray[np.uint64], distance: int) -> Links:
    """Link samples whose perceptual hashes are near, directly or over others.

    Args:
        hashes: (n,) uint64 from `perceptual_hash`.
        distance: most bits in which two pictures that belong together differ, 0 to 64.

    Returns:
        Links as those of `same_person`.
    """
    distinct, places = np.unique(hashes, return_inverse=True)
    members = np.arange(len(hashes), dtype=np.int64)
    firsts = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(firsts, places, members)
    components = Components(len(hashes))
    components.link(firsts[places], members)
    for first, second in near_pairs(distinct, distance):
        components.link(firsts[first], firsts[second])
    return _links(components, members)


def same_value(values: Sequence[Hashable | None]) -> Links:
    """Link samples of which the same is said: the same source image, the same name in a catalogue.

    Args:
        values: one a sample; None links to nothing.

    Returns:
        (k, 2) int64: the first sample with a value, and each later one with the same.
    """
    firsts: dict[Hashable, int] = {}
    links = [
        (first, number)
        for number, value in enumerate(values)
        if value is not None and (first := firsts.setdefault(value, number)) != number
    ]
    return np.array(links, dtype=np.int64).reshape(-1, 2)


def groups(n: int, *links: Links) -> Indices:
    """Put together what links join, directly or over others.

    Args:
        n: number of samples.
        links: any number of (k, 2) int64 arrays of sample numbers below n.

    Returns:
        (n,) int64: a label for each sample, from 0; groups are numbered in order of their first sample.

    Raises:
        ValueError: a link is no pair of such numbers.
    """
    components = Components(n)
    for given in links:
        if given.ndim != 2 or given.shape[1] != 2:
            raise ValueError(f"links of shape {given.shape}: expected (k, 2)")
        if given.size and not (given.min() >= 0 and given.max() < n):
            raise ValueError(f"links of samples {given.min()} to {given.max()}: expected 0 to {n - 1}")
        components.link(np.ascontiguousarray(given[:, 0]), np.ascontiguousarray(given[:, 1]))
    return np.unique(components.roots(), return_inverse=True)[1].astype(np.int64).reshape(n)


def group_names(labels: Indices, keys: Sequence[str]) -> list[str]:
    """Name each group by its least sample key: the same one whatever the order of samples.

    Args:
        labels: (n,) int64 from `groups`.
        keys: of the n samples.

    Returns:
        One name a label, in order of labels.
    """
    names: list[str | None] = [None] * (int(labels.max()) + 1 if len(labels) else 0)
    for label, key in zip(labels.tolist(), keys, strict=True):
        name = names[label]
        names[label] = key if name is None or key < name else name
    return [name for name in names if name is not None]


def largest_share(labels: Indices) -> float:
    """Part of all samples that the largest group holds, 0 to 1: a split cannot be finer than this.

    Args:
        labels: (n,) int64 from `groups`; 0 is returned where there are none.
    """
    return float(np.bincount(labels).max()) / len(labels) if len(labels) else 0.0


def _known(features: NDArray[np.float32]) -> Indices:
    """Numbers of the rows that have a feature."""
    if features.ndim != 2 or features.dtype != np.float32:
        raise ValueError(f"features of shape {features.shape} and type {features.dtype}: expected (n, 128) float32")
    lengths = np.sqrt(np.einsum("ij,ij->i", features, features))
    wrong = np.flatnonzero(np.abs(lengths - 1.0) > 1e-3)  # NaN compares as false
    if wrong.size:
        raise ValueError(
            f"feature {wrong[0]} has the length {lengths[wrong[0]]:.4g}: expected unit vectors, or NaN for none"
        )
    return np.flatnonzero(np.isfinite(lengths)).astype(np.int64)


def _alike(vectors: NDArray[np.float32], threshold: float, components: Components) -> Iterator[tuple[Indices, Indices]]:
    """Pairs above the threshold, block by block; of those that are joined already, many are left out."""
    sure, possible = np.float32(threshold + _ROUNDING), np.float32(threshold - _ROUNDING)
    for top in range(0, len(vectors), _BLOCK):
        rows = vectors[top : top + _BLOCK]
        for left in range(top, len(vectors), _BLOCK):
            products = rows @ vectors[left : left + _BLOCK].T
            hits = products > possible
            if np.count_nonzero(hits) > _MANY:
                hits &= _apart(products >= sure, top, left, components)
            down, across = np.nonzero(hits)
            doubtful = products[down, across] < sure
            first, second = down + top, across + left
            keep = first < second
            doubtful &= keep
            if doubtful.any():
                keep[doubtful] = _exact(vectors, first[doubtful], second[doubtful]) >= threshold
            yield first[keep], second[keep]


def _apart(sure: NDArray[np.bool_], top: int, left: int, components: Components) -> NDArray[np.bool_]:
    """Which pairs of a block are not joined yet, once each row and each column is joined to its first sure partner."""
    if top == left:
        np.fill_diagonal(sure, val=False)
    for links, (start, other) in ((sure, (top, left)), (sure.T, (left, top))):
        some = np.flatnonzero(links.any(axis=1))
        partners = links[some].argmax(axis=1)
        components.link(some + start, partners + other)
    roots = components.roots()
    rows, columns = sure.shape
    return np.asarray(roots[top : top + rows, np.newaxis] != roots[np.newaxis, left : left + columns])


def _exact(vectors: NDArray[np.float32], first: Indices, second: Indices) -> NDArray[np.float64]:
    products = np.empty(len(first), dtype=np.float64)
    for start in range(0, len(first), _BLOCK):
        part = np.s_[start : start + _BLOCK]
        left, right = vectors[first[part]].astype(np.float64), vectors[second[part]].astype(np.float64)
        products[part] = np.einsum("ij,ij->i", left, right)
    return products


def _links(components: Components, members: Indices) -> Links:
    roots = components.roots()
    others = np.flatnonzero(roots != np.arange(len(roots)))
    return np.stack([members[roots[others]], members[others]], axis=1).astype(np.int64).reshape(-1, 2)
