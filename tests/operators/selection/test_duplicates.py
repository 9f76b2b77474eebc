"""Copies: the best stays, each dropped one is near it, and chains do not join different pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.selection import duplicates
from operators.selection.duplicates import copies, exact_duplicates, kept, near_duplicates, preference
from tests.operators.selection.test_hamming import clustered


def one_after_another(hashes, distance, rank):
    """The rule as the docstring says it: by rank, each is kept that is near none of those kept before."""
    stays = []
    for number in np.argsort(rank).tolist():
        if all((int(hashes[number]) ^ int(hashes[other])).bit_count() > distance for other in stays):
            stays.append(number)
    copy_of = list(range(len(hashes)))
    for number in set(range(len(hashes))) - set(stays):
        near = [((int(hashes[number]) ^ int(hashes[other])).bit_count(), rank[other], other) for other in stays]
        copy_of[number] = min(near)[2]
    return copy_of


@pytest.fixture(autouse=True, scope="module")
def few_at_first():
    """Steps of 8, 16, 32...: so that small collections take several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_FIRST", 8)
        patch.setattr(duplicates, "_GROWTH", 2)
        yield


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 80), st.integers(0, 9), st.integers(0, 8))
def test_near_duplicates_are_as_if_gone_through_by_rank(seed, n, flips, distance):
    hashes = clustered(seed, n, flips)
    rank = np.random.default_rng(seed + 1).permutation(n)
    assert near_duplicates(hashes, distance, rank).tolist() == one_after_another(hashes, distance, rank)


def test_order_of_samples_does_not_count():
    hashes, rank = clustered(1, 400, 5), np.random.default_rng(1).permutation(400)
    whole = near_duplicates(hashes, 4, rank)
    assert 0 < kept(whole).sum() < 300
    order = np.random.default_rng(2).permutation(400)
    shuffled = near_duplicates(hashes[order], 4, rank[order])
    assert order[shuffled].tolist() == whole[order].tolist()


def test_a_chain_of_small_changes_does_not_drop_what_differs():
    chain = np.array([0, 0xF, 0xFF, 0xFFF, 0xFFFF], dtype=np.uint64)  # each four bits from the one before
    copy_of = near_duplicates(chain, 4, np.arange(5))
    assert copy_of.tolist() == [0, 0, 2, 2, 4]


def test_the_nearest_kept_one_is_named():
    hashes = np.array([0b0, 0b11111, 0b1111], dtype=np.uint64)
    assert near_duplicates(hashes, 4, np.arange(3)).tolist() == [0, 1, 1]
    assert near_duplicates(np.array([0, 0xFF, 0xF], np.uint64), 4, np.array([1, 0, 2])).tolist() == [0, 1, 1]


def test_equal_hashes_are_not_compared_with_each_other(monkeypatch):
    """A hundred thousand blank scans: five billion pairs, none of which may be looked at."""
    seen = []

    def watched(hashes, distance, others=None):
        seen.append(len(hashes) + (0 if others is None else len(others)))
        return near_pairs(hashes, distance, others)

    near_pairs = duplicates.near_pairs
    monkeypatch.setattr(duplicates, "near_pairs", watched)
    rank = np.random.default_rng(1).permutation(100_000)
    copy_of = near_duplicates(np.zeros(100_000, np.uint64), 4, rank)
    assert set(copy_of.tolist()) == {int(np.argmin(rank))}
    assert max(seen) == 1


def test_near_blank_scans_end():
    """Twenty thousand hashes that all lie in one small ball, of which most are near many others."""
    generator = np.random.default_rng(7)
    hashes = np.zeros(20_000, np.uint64)
    for _ in range(3):
        hashes ^= np.uint64(1) << generator.integers(0, 64, len(hashes)).astype(np.uint64)
    copy_of = near_duplicates(hashes, 6, np.arange(len(hashes)))
    assert set(copy_of.tolist()) == {0}


def test_no_copies_and_no_samples():
    assert near_duplicates(np.zeros(0, np.uint64), 4, np.zeros(0, np.int64)).tolist() == []
    far = np.array([0, 0xFFFF, 0xFFFF0000], dtype=np.uint64)
    assert kept(near_duplicates(far, 4, np.arange(3))).all()
    assert list(copies(np.array([0, 1, 0, 1]))) == [(2, 0), (3, 1)]


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="3 hashes and 2 ranks: expected as many"):
        near_duplicates(np.zeros(3, np.uint64), 4, np.arange(2))
    with pytest.raises(ValueError, match="1 sizes, 2 sharpnesses, 1 keys: expected as many"):
        preference(np.ones(1, np.int64), np.ones(2), ["a"])
    with pytest.raises(ValueError, match="2 hashes and 1 ranks: expected as many"):
        exact_duplicates(["a", "b"], np.arange(1))


def test_most_pixels_then_the_sharpest_then_the_least_key():
    pixels = np.array([10, 20, 20, 20, 20, 20])
    sharpness = np.array([0.9, 0.1, 0.3, 0.3, np.nan, 0.3])
    keys = ["a", "b", "d", "c", "e", "ä"]
    rank = preference(pixels, sharpness, keys)
    assert [keys[number] for number in np.argsort(rank)] == ["c", "d", "ä", "b", "e", "a"]
    order = np.random.default_rng(1).permutation(6)
    assert preference(pixels[order], sharpness[order], [keys[n] for n in order]).tolist() == rank[order].tolist()


def test_of_equal_bytes_the_best_stays():
    copy_of = exact_duplicates(["x", "y", "x", "z", "x", "y"], np.array([5, 1, 0, 2, 3, 4]))
    assert copy_of.tolist() == [2, 1, 2, 3, 2, 1]
    assert list(copies(copy_of)) == [(0, 2), (4, 2), (5, 1)]
