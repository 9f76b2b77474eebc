"""Several listings at once: order, errors in their place, bounded memory, no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from itertools import islice

import pytest

from pipeline.sources import ahead
from pipeline.sources.ahead import in_order


def test_order_is_kept() -> None:
    jobs = [partial(lambda job: iter([(job, n) for n in range(job * 37 % 600)]), job) for job in range(30)]
    assert list(in_order(jobs)) == [(job, n) for job in range(30) for n in range(job * 37 % 600)]
    assert list(in_order([])) == []


def test_jobs_run_at_the_same_time() -> None:
    together = threading.Barrier(4, timeout=30)

    def job() -> Iterator[int]:
        together.wait()
        yield 1

    assert list(in_order([job] * 4, workers=4)) == [1, 1, 1, 1]


def test_an_error_comes_after_the_results_before_it() -> None:
    def broken() -> Iterator[int]:
        yield from range(ahead.BATCH)
        raise ValueError("torn")

    seen = []
    with pytest.raises(ValueError, match="torn"):
        for value in in_order([lambda: iter([-1]), broken, lambda: iter([9])]):
            seen.append(value)  # noqa: PERF402 - what was seen before the error counts
    assert seen == [-1, *range(ahead.BATCH)]


def test_a_job_does_not_run_far_ahead_and_ends_when_nobody_listens() -> None:
    made: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            made.append(1)
            yield 1

    before = threading.active_count()
    results = in_order([endless, endless], workers=2)
    assert len(list(islice(results, 1000))) == 1000
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert len(made) <= 1000 + 2 * ahead.BATCH * (ahead.BATCHES_AHEAD + 2)
