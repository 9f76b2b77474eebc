"""Parts of the wished size, whole groups, and few moves when a collection grows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.selection.groups import groups, same_person
from operators.selection.splits import assign, leaks, numbering, shards, spread
from tests.operators.selection.test_groups import people

PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}


def collection(seed, persons, most=6):
    """Labels of samples of some persons, in mixed order, their names, and the weight of each sample."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons), generator.integers(1, most + 1, persons))
    return generator.permutation(labels), np.ones(len(labels)), [f"person-{number:06d}" for number in range(persons)]


def of_groups(labels, parts):
    """Part of each group; fails when a group is in two."""
    found = {}
    for label, part in zip(labels.tolist(), parts, strict=True):
        assert found.setdefault(label, part) == part
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.integers(1, 5), st.integers(1, 400)), min_size=1, max_size=60),
    st.lists(st.floats(0.001, 1.0), min_size=1, max_size=5),
    st.integers(0, 100),
)
def test_groups_stay_whole_and_shares_are_within_the_largest_group(sizes, shares, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    parts = {f"part-{number}": share for number, share in enumerate(shares)}
    chosen = assign(labels, np.ones(len(labels)), parts, seed, [f"n{n}" for n in range(len(sizes))])
    of_groups(labels, chosen)
    counts = Counter(chosen)
    for name, share in parts.items():
        assert abs(counts[name] - share / sum(shares) * len(labels)) <= max(sizes) + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_many_small_groups_come_very_near_the_shares(seed):
    labels, weights, names = collection(seed, 2000)
    counts = Counter(assign(labels, weights, PARTS, seed, names))
    for name, share in PARTS.items():
        assert abs(counts[name] - share * len(labels)) <= 6


def test_order_of_samples_groups_and_parts_does_not_count():
    labels, weights, names = collection(1, 300)
    whole = assign(labels, weights, PARTS, 7, names)
    order, renamed = np.random.default_rng(2).permutation(len(labels)), np.random.default_rng(3).permutation(300)
    other_names = [""] * 300
    for old, new in enumerate(renamed.tolist()):
        other_names[new] = names[old]
    parts = dict(reversed(PARTS.items()))
    again = assign(renamed[labels[order]], weights[order], parts, 7, other_names)
    assert again == [whole[number] for number in order]


def test_another_seed_is_another_split():
    labels, weights, names = collection(1, 300)
    assert assign(labels, weights, PARTS, 1, names) != assign(labels, weights, PARTS, 2, names)


@pytest.mark.parametrize("seed", range(4))
def test_a_collection_that_grows_by_a_tenth_moves_few_groups(seed):
    labels, weights, names = collection(seed, 2200)
    old = labels < 2000
    before = of_groups(labels[old], assign(labels[old], weights[old], PARTS, 0, names[:2000]))
    after = of_groups(labels, assign(labels, weights, PARTS, 0, names))
    moved = sum(before[label] != after[label] for label in before)
    assert moved <= 0.02 * 2000  # two cuts; a split by chance alone would move a third


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_only_groups_near_a_cut_move(seed, more):
    """The promise of the docstring: a share of w / W for each cut, and the groups that lie across it."""
    labels, weights, names = collection(seed, 400 + more)
    old = labels < 400
    before = of_groups(labels[old], assign(labels[old], weights[old], PARTS, 3, names[:400]))
    after = of_groups(labels, assign(labels, weights, PARTS, 3, names))
    sizes = np.bincount(labels)
    moved = sum(int(sizes[label]) for label in before if before[label] != after[label])
    cuts, largest = 2, 6
    assert moved <= cuts * ((~old).sum() + 2 * largest)


def test_a_giant_group_goes_to_the_largest_part():
    labels = np.concatenate([np.zeros(300, np.int64), np.arange(1, 701)])
    for seed in range(20):
        chosen = of_groups(
            labels, assign(labels, np.ones(1000), PARTS, seed, [f"person-{number}" for number in range(701)])
        )
        counts = Counter(chosen[label] for label in labels.tolist())
        assert chosen[0] == "train"
        assert abs(counts["val"] - 100) <= 1
        assert abs(counts["test"] - 100) <= 1


def test_ten_people_of_one_picture_each():
    chosen = assign(np.arange(10), np.ones(10), PARTS, 1, list("abcdefghij"))
    assert Counter(chosen) == {"train": 8, "val": 1, "test": 1}


def test_weights_are_what_is_shared_out():
    labels = np.arange(1000)
    weights = np.where(labels < 500, 3.0, 0.0)
    chosen = assign(labels, weights, {"a": 1, "b": 1}, 1, [str(number) for number in range(1000)])
    total = Counter()
    for part, weight in zip(chosen, weights.tolist(), strict=True):
        total[part] += weight
    assert abs(total["a"] - total["b"]) <= 3
    assert set(assign(labels, np.zeros(1000), PARTS, 1, [str(number) for number in range(1000)])) <= set(PARTS)


def test_no_samples():
    assert assign(np.zeros(0, np.int64), np.zeros(0), PARTS, 1, []) == []


@pytest.mark.parametrize(
    ("labels", "weights", "parts", "names", "words"),
    [
        ([0, 1], [1, 1], {}, ["a", "b"], "no parts"),
        ([0, 1], [1, 1], {"train": 0.0}, ["a", "b"], "part 'train' has the share 0.0: expected a positive number"),
        ([0, 1], [1, 1], {"train": float("nan")}, ["a", "b"], "expected a positive number"),
        ([0, 1], [1, 1], PARTS, ["a", "a"], "two groups are named 'a': expected names that differ"),
        ([0, 1], [1, 1], PARTS, ["a"], "1 names for labels from 0 to 1"),
        ([0, 2], [1, 1], PARTS, ["a", "b", "c"], "each used"),
        ([0, 1], [1], PARTS, ["a", "b"], "2 labels and 1 weights"),
        ([0, 1], [1, -1], PARTS, ["a", "b"], "negative or not finite"),
        ([0, 1], [1, float("inf")], PARTS, ["a", "b"], "negative or not finite"),
    ],
)
def test_bad_input_is_refused(labels, weights, parts, names, words):
    with pytest.raises(ValueError, match=words):
        assign(np.array(labels), np.array(weights, np.float64), parts, 1, names)


def test_a_planted_leak_is_seen():
    """One person's two pictures are so unlike that the threshold parts them: whoever counts persons must see it."""
    features = people(1, 400, 100)
    persons = np.argmax(features @ features.T >= 0.3, axis=1)
    labels = groups(400, same_person(features, 0.3))
    names = [f"g{number}" for number in range(labels.max() + 1)]
    chosen = assign(labels, np.ones(400), PARTS, 5, names)
    assert leaks(persons.tolist(), chosen) == []

    stranger = people(2, 1, 1)
    planted = int(np.flatnonzero(persons == persons[0])[1])
    features[planted] = stranger[0]
    labels = groups(400, same_person(features, 0.3))
    names = [f"g{number}" for number in range(labels.max() + 1)]
    leaking = [seed for seed in range(60) if leaks(persons.tolist(), assign(labels, np.ones(400), PARTS, seed, names))]
    assert 8 <= len(leaking) <= 35  # two groups are on two sides in 0.34 of all splits
    chosen = assign(labels, np.ones(400), PARTS, leaking[0], names)
    assert leaks(persons.tolist(), chosen) == [persons[0]]


def test_leaks_in_order_of_first_sample():
    assert leaks(["b", "a", None, "b", "a", "c", None], ["x", "x", "x", "y", "z", "x", "y"]) == ["b", "a"]


def test_numbers_follow_seed_and_key_alone():
    keys = [f"box/{number}.tif#0" for number in range(500)]
    numbers = numbering(keys, 3)
    assert sorted(numbers.tolist()) == list(range(500))
    assert numbering(keys[::-1], 3).tolist() == numbers[::-1].tolist()
    assert numbering(keys, 4).tolist() != numbers.tolist()
    some = numbering(keys[:200], 3)
    assert np.argsort(some).tolist() == np.argsort(numbers[:200]).tolist()


def test_the_first_number_is_that_of_sha256():
    """Written out, so that another order cannot slip in: it would rename every pair."""
    from hashlib import sha256

    keys = ["a", "b", "ü", "box/1.tif#12", "\udce4"]
    hashes = [sha256(b"sample\n9\n" + key.encode("utf-8", "surrogatepass")).hexdigest() for key in keys]
    assert np.argsort(numbering(keys, 9)).tolist() == sorted(range(5), key=hashes.__getitem__)


def test_keys_that_repeat_are_refused():
    with pytest.raises(ValueError, match="two samples are named 'a#0'"):
        numbering(["a#0", "b#0", "a#0"], 1)


@given(st.integers(0, 500), st.integers(1, 60))
def test_variants_are_spread_evenly(total, n):
    numbers = np.random.default_rng(n).permutation(n) * 3
    variants = spread(total, numbers)
    assert variants.sum() == total
    assert variants.max() - variants.min() <= 1
    assert (np.diff(variants[np.argsort(numbers)]) <= 0).all()


def test_spreading_over_nothing():
    assert spread(0, np.zeros(0, np.int64)).tolist() == []
    with pytest.raises(ValueError, match="total 3 of 0 samples"):
        spread(3, np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="total -1 of 2 samples"):
        spread(-1, np.arange(2))


@given(st.integers(0, 5000), st.integers(1, 700))
def test_shards_are_balanced(n_pairs, most):
    ranges = shards(n_pairs, most)
    assert [number for piece in ranges for number in piece] == list(range(n_pairs))
    sizes = [len(piece) for piece in ranges]
    assert len(sizes) == -(-n_pairs // most)
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)


@pytest.mark.parametrize(("n_pairs", "most"), [(-1, 5), (5, 0)])
def test_shards_that_cannot_be_are_refused(n_pairs, most):
    with pytest.raises(ValueError, match="expected 0 pairs or more, and pieces of 1 or more"):
        shards(n_pairs, most)
