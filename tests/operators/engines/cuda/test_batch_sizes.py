"""Fixed batch sizes: which there are, and that padding leaves no trace."""

from __future__ import annotations

import pytest
import torch

from operators.engines.cuda_graphs import Bucketed, buckets, padded
from operators.engines.options import Profile
from operators.engines.overlap import Overlap


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (Profile(1, 8, 16), (1, 2, 4, 8, 16)),
        (Profile(8, 8, 8), (8,)),
        (Profile(1, 1, 1), (1,)),
        (Profile(1, 6, 6), (1, 3, 6)),
        (Profile(2, 12, 16), (2, 3, 6, 12, 16)),
        (Profile(5, 8, 9), (5, 8, 9)),
    ],
)
def test_batch_sizes_are_the_best_one_its_halves_and_the_ends(profile, expected):
    assert buckets(profile) == expected


def test_padding_is_zeros_behind():
    batch = torch.rand(3, 2, 4)
    full = padded(batch, 5)
    assert torch.equal(full[:3], batch)
    assert not full[3:].any()
    assert padded(batch, 3) is batch


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_each_batch_is_padded_to_the_next_size_and_cut(count):
    seen = []

    def call_for(size):
        def call(batch):
            seen.append((size, len(batch)))
            return batch * 2

        return call

    sizes = Bucketed(call_for, Profile(1, 4, 8), torch.device("cpu"), graphs=False)
    batch = torch.rand(count, 3)
    assert torch.equal(sizes.run(batch), batch * 2)
    assert seen == [(next(size for size in (1, 2, 4, 8) if size >= count),) * 2]
    assert dict(sizes.captured) == {seen[0][0]: False}


def test_results_are_not_the_calls_own_memory():
    static = torch.zeros(4, 3)

    def call(batch):
        static.copy_(batch)
        return static

    sizes = Bucketed(lambda _: call, Profile(4, 4, 4), torch.device("cpu"), graphs=False)
    first = sizes.run(torch.ones(4, 3))
    second = sizes.run(torch.full((4, 3), 2.0))
    assert torch.equal(first, torch.ones(4, 3))
    assert torch.equal(second, torch.full((4, 3), 2.0))


@pytest.mark.parametrize("count", [0, 9])
def test_a_batch_outside_the_profile_is_refused(count):
    sizes = Bucketed(lambda _: lambda batch: batch, Profile(1, 4, 8), torch.device("cpu"), graphs=False)
    with pytest.raises(ValueError, match=f"batch of {count}"):
        sizes.run(torch.rand(count, 3))


def test_a_call_is_made_ready_once_and_again_after_it_was_freed():
    made = []

    def call_for(size):
        made.append(size)
        return lambda batch: batch

    sizes = Bucketed(call_for, Profile(1, 4, 8), torch.device("cpu"), graphs=False)
    for count in (4, 3, 8, 4):
        sizes.run(torch.rand(count, 2))
    assert made == [4, 8]
    sizes.free()
    sizes.run(torch.rand(4, 2))
    assert made == [4, 8, 4]


def test_on_a_cpu_batches_are_simply_run_and_pauses_passed_over():
    batches = [torch.full((2, 3), float(number)) for number in range(4)]
    given = [batches[0], None, batches[1], batches[2], None, None, batches[3]]
    found = list(Overlap(lambda batch: batch + 1, "cpu")(given))
    assert [float(one[0, 0]) for one in found] == [1, 2, 3, 4]
