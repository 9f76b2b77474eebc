"""What must stay together does, whatever the order, and what need not does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from operators.selection import groups as module
from operators.selection import joining
from operators.selection.groups import (
    group_names,
    groups,
    largest_share,
    placeable,
    reliable,
    same_person,
    same_picture,
    same_value,
)
from tests.operators.selection.test_hamming import brute, clustered


def partition(labels):
    members = {}
    for number, label in enumerate(np.asarray(labels).tolist()):
        members.setdefault(label, []).append(number)
    return {tuple(group) for group in members.values()}


def components(n, pairs):
    """SciPy's."""
    first, second = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    return connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(n, n)), directed=False)[1]


def people(seed, n, persons, spread=0.8):
    """(n, 128) unit vectors around some directions."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(persons, 128))
    vectors = centres[generator.integers(0, persons, n)] + spread * generator.normal(size=(n, 128))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def alike(features, threshold):
    products = np.einsum("ik,jk->ij", features.astype(np.float64), features.astype(np.float64))
    return {(i, j) for i, j in zip(*np.nonzero(products >= threshold), strict=True) if i < j}


@pytest.mark.parametrize("many", [0, 20, 10**9])
@pytest.mark.parametrize("block", [16, 37, 2048])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.55, 0.63])
def test_same_person_joins_as_all_pairs_do(monkeypatch, many, block, threshold):
    monkeypatch.setattr(module, "_MANY", many)
    monkeypatch.setattr(module, "_BLOCK", block)
    features = people(1, 150, 25)
    expected = components(150, alike(features, threshold))
    links = same_person(features, threshold)
    assert partition(groups(150, links)) == partition(expected)
    assert len(links) == 150 - len(set(expected.tolist()))


def test_the_thresholds_of_that_test_differ():
    features = people(1, 150, 25)
    numbers = [len(set(groups(150, same_person(features, t)).tolist())) for t in (0.1, 0.3, 0.55, 0.63)]
    assert numbers == sorted(set(numbers))


def test_each_link_names_the_first_sample_of_its_component():
    features = people(2, 60, 6)
    labels = groups(60, same_person(features, 0.3))
    for first, other in same_person(features, 0.3).tolist():
        assert first == int(np.flatnonzero(labels == labels[other])[0])


def test_a_product_at_the_threshold_counts_and_rounding_does_not_decide():
    """Vectors at angles whose float64 product is just above and just below: neither block nor order changes it."""
    generator = np.random.default_rng(4)
    features = people(5, 40, 40)
    products = features.astype(np.float64) @ features.astype(np.float64).T
    first, second = 3, 29
    exact = float(np.einsum("i,i->", *(features[n].astype(np.float64) for n in (first, second))))
    assert exact == pytest.approx(products[first, second], abs=1e-12)
    for threshold, joined in ((exact - 1e-12, True), (exact + 1e-12, False)):
        for _ in range(3):
            order = generator.permutation([first, second])
            assert bool(len(same_person(features[order], threshold))) is joined


def test_a_sample_without_a_feature_links_to_nothing():
    features = people(3, 50, 2)
    features[[0, 7, 49]] = np.nan
    features[20, 5] = np.nan
    labels = groups(50, same_person(features, 0.3))
    alone = {number for group in partition(labels) if len(group) == 1 for number in group}
    assert {0, 7, 20, 49} <= alone
    assert largest_share(labels) >= 0.4
    assert len(same_person(np.full((4, 128), np.nan, np.float32), -1.0)) == 0


def test_chains_are_followed():
    """Three faces, each like the next by 0.6, the ends unlike: all three stay together."""
    angle = np.arccos(0.6)
    features = np.zeros((3, 128), np.float32)
    features[:, 0], features[:, 1] = np.cos(angle * np.arange(3)), np.sin(angle * np.arange(3))
    assert features[0] @ features[2] < 0
    assert groups(3, same_person(features, 0.59)).tolist() == [0, 0, 0]
    assert groups(3, same_person(features, 0.61)).tolist() == [0, 1, 2]


def test_a_person_with_very_many_pictures_needs_no_list_of_pairs():
    features = np.repeat(people(1, 1, 1), 6000, axis=0)
    links = same_person(features, 0.3)
    assert links.tolist() == [[0, number] for number in range(1, 6000)]


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (np.zeros((3, 128), np.float32), "feature 0 has the length 0: expected unit vectors, or NaN for none"),
        (np.ones((3, 128), np.float64), r"expected \(n, 128\) float32"),
        (np.ones(128, np.float32), r"expected \(n, 128\) float32"),
        (np.full((2, 128), np.inf, np.float32), "has the length inf"),
    ],
)
def test_features_that_are_none_are_refused(features, words):
    with pytest.raises(ValueError, match=words):
        same_person(features, 0.3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(0, 9), st.integers(0, 8))
def test_same_picture_joins_as_all_pairs_do(seed, n, flips, distance):
    hashes = clustered(seed, n, flips)
    expected = components(n, brute(hashes, distance)) if n else np.zeros(0, np.int64)
    assert partition(groups(n, same_picture(hashes, distance))) == partition(expected)


def test_same_value():
    assert same_value(["a", None, "b", "a", None, "a"]).tolist() == [[0, 3], [0, 5]]
    assert same_value([]).shape == (0, 2)


@pytest.mark.parametrize("waiting", [1, 5, 1 << 20])
def test_components_are_those_of_scipy(monkeypatch, waiting):
    monkeypatch.setattr(joining, "_WAITING", waiting)
    generator = np.random.default_rng(6)
    for count in (0, 10, 300, 480, 2000):
        links = generator.integers(0, 1000, (count, 2))
        pieces = np.array_split(links, 7)
        labels = groups(1000, *pieces)
        assert partition(labels) == partition(components(1000, {tuple(link) for link in links.tolist()}))


@pytest.mark.parametrize("turn", [1, -1])
def test_long_chains_are_one_group(turn):
    members = np.random.default_rng(8).permutation(20_000)[::turn]
    assert not groups(20_000, np.stack([members[:-1], members[1:]], axis=1)).any()


def test_groups_are_numbered_by_their_first_sample():
    labels = groups(6, np.array([[5, 1], [4, 3]]), np.array([[3, 5]]))
    assert labels.tolist() == [0, 1, 2, 1, 1, 1]
    assert labels.dtype == np.int64
    assert groups(0).tolist() == []


def test_links_of_samples_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="links of samples 0 to 3: expected 0 to 2"):
        groups(3, np.array([[0, 3]]))
    with pytest.raises(ValueError, match=r"links of shape \(2,\): expected \(k, 2\)"):
        groups(3, np.array([0, 1]))


def test_order_of_samples_changes_no_group():
    features, keys = people(9, 120, 30), [f"box/{number:03d}.jpg#0" for number in range(120)]
    labels = groups(120, same_person(features, 0.45))
    order = np.random.default_rng(10).permutation(120)
    shuffled = groups(120, same_person(features[order], 0.45))
    assert 5 < labels.max() < 119
    names, shuffled_names = group_names(labels, keys), group_names(shuffled, [keys[number] for number in order])
    assert [names[labels[number]] for number in order] == [shuffled_names[label] for label in shuffled]


def test_the_largest_share():
    assert largest_share(np.array([0, 1, 1, 2])) == 0.5
    assert largest_share(np.zeros(0, np.int64)) == 0.0


def test_blurred_and_doubtful_faces_are_not_reliable():
    confidence = np.array([0.95, 0.91, 0.95, 0.95, 0.92])
    sharpness = np.array([0.2, 0.2, 0.01, np.nan, 0.2])
    assert reliable(confidence, sharpness).tolist() == [True, False, False, False, True]


def test_only_groups_of_somebody_known_can_be_placed():
    labels = groups(6, np.array([[0, 2], [3, 4]]))
    known = np.array([False, True, True, False, False, False])
    assert placeable(labels, known).tolist() == [True, True, True, False, False, False]
    assert placeable(np.zeros(0, np.int64), np.zeros(0, np.bool_)).tolist() == []
    with pytest.raises(ValueError, match="6 labels and 5 samples"):
        placeable(labels, known[:5])
