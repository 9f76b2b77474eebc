"""Every pair within the distance is found, and none beyond it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.selection import hamming
from operators.selection.hamming import bit_distance, near_pairs


def brute(hashes, distance):
    values = [int(value) for value in hashes]
    return {(i, j) for j, b in enumerate(values) for i, a in enumerate(values[:j]) if (a ^ b).bit_count() <= distance}


def found(hashes, distance):
    pairs = set()
    for first, second in near_pairs(hashes, distance):
        assert len(first) == len(second)
        pairs |= {(min(pair), max(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    return pairs


def clustered(seed, n, flips):
    """Hashes around a few centres, with up to `flips` bits changed, and some of them equal."""
    generator = np.random.default_rng(seed)
    hashes = generator.integers(0, 2**64, 5, dtype=np.uint64)[generator.integers(0, 5, n)]
    for _ in range(flips):
        change = generator.random(n) < 0.7
        hashes ^= np.where(change, np.uint64(1) << generator.integers(0, 64, n).astype(np.uint64), np.uint64(0))
    return hashes


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(0, 12), st.integers(0, 9))
def test_all_pairs_of_clusters(seed, n, flips, distance):
    hashes = clustered(seed, n, flips)
    assert found(hashes, distance) == brute(hashes, distance)


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("count", [3, 4, 5, 7, 9])
def test_every_cut_into_bands_finds_all_pairs(monkeypatch, distance, count):
    monkeypatch.setattr(hamming, "_bands", lambda n, distance, others: hamming._cut(count, distance))
    hashes = np.concatenate([clustered(distance, 120, flips) for flips in (1, 3, 6)])
    expected = brute(hashes, distance)
    assert len(expected) > 20
    assert found(hashes, distance) == expected


@pytest.mark.parametrize("distance", [16, 31, 63, 64])
def test_large_distances(monkeypatch, distance):
    monkeypatch.setattr(hamming, "_bands", lambda n, distance, others: hamming._cut(min(distance + 1, 64), distance))
    hashes = np.random.default_rng(2).integers(0, 2**64, 60, dtype=np.uint64)
    assert found(hashes, distance) == brute(hashes, distance)


@pytest.mark.parametrize("crowd", [1, 3, 1000])
def test_pieces_and_squares_of_any_size(monkeypatch, crowd):
    hashes = clustered(3, 300, 3)
    expected = brute(hashes, 4)
    monkeypatch.setattr(hamming, "_CROWD", crowd)
    monkeypatch.setattr(hamming, "_SQUARE", 7)
    monkeypatch.setattr(hamming, "_CHUNK", 13)
    assert found(hashes, 4) == expected


@pytest.mark.parametrize("crowd", [2, 1000])
@pytest.mark.parametrize("sizes", [(200, 30), (30, 200), (100, 100), (1, 5), (0, 3), (3, 0)])
def test_pairs_of_two_collections(monkeypatch, crowd, sizes):
    monkeypatch.setattr(hamming, "_CROWD", crowd)
    hashes = clustered(4, sum(sizes), 4)
    upper, lower = hashes[: sizes[0]], hashes[sizes[0] :]
    pairs = set()
    for first, second in near_pairs(upper, 5, lower):
        pairs |= set(zip(first.tolist(), (second + sizes[0]).tolist(), strict=True))
    assert pairs == {(i, j) for i, j in brute(hashes, 5) if i < sizes[0] <= j}


def test_pairs_that_differ_in_each_possible_pair_of_bits():
    one = np.uint64(0x0123456789ABCDEF)
    bits = [np.uint64(1) << np.uint64(bit) for bit in range(64)]
    for first in range(0, 64, 7):
        hashes = np.array([one, *(one ^ bits[first] ^ bit for bit in bits)], dtype=np.uint64)
        assert found(hashes, 2) == brute(hashes, 2)


@pytest.mark.parametrize("n", [2, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize("distance", [0, 3, 4, 6, 16])
def test_bands_hold_each_bit_once_and_their_radii_suffice(n, distance):
    bands = hamming._bands(n, distance)
    assert sorted(bit for band in bands for bit in band.bits) == list(range(64))
    # The most differences that no band would show: one more than its radius in each.
    unseen = sum(min(band.radius + 1, len(band.bits)) for band in bands)
    assert unseen > distance


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_bits_are_counted_alike_with_and_without_numpy_2(values):
    hashes = np.array(values, dtype=np.uint64)
    expected = [value.bit_count() for value in values]
    assert hamming._counted(hashes).tolist() == expected
    assert bit_distance(hashes, np.zeros_like(hashes)).tolist() == expected


def test_no_pair_of_a_hash_with_itself():
    assert found(np.zeros(1, np.uint64), 64) == set()
    assert found(np.zeros(0, np.uint64), 4) == set()
    assert found(np.zeros(3, np.uint64), 0) == {(0, 1), (0, 2), (1, 2)}


@pytest.mark.parametrize(
    ("hashes", "distance", "words"),
    [
        (np.zeros(3, np.int64), 4, r"expected \(n,\) uint64"),
        (np.zeros((3, 1), np.uint64), 4, r"expected \(n,\) uint64"),
        (np.zeros(3, np.uint64), 65, "distance 65: expected 0 to 64"),
        (np.zeros(3, np.uint64), -1, "distance -1: expected 0 to 64"),
    ],
)
def test_bad_input_is_refused(hashes, distance, words):
    with pytest.raises(ValueError, match=words):
        list(near_pairs(hashes, distance))
