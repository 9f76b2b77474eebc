"""Batches from other processes: in order, of every array, a worker's share, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from operators.training.contract import Arrays
from operators.training.crew import Crew
from tests.operators.training.tiny_training import TinySamples


def taken(crew: Crew, count: int) -> list[dict[str, np.ndarray]]:
    def copied(batches: Iterator[Arrays]) -> Iterator[dict[str, np.ndarray]]:
        for batch in batches:
            yield {name: array.copy() for name, array in batch.items()}

    with closing(iter(crew)) as batches:
        return list(islice(copied(batches), count))


def same(found: list[dict[str, np.ndarray]], numbers: list[list[int]]) -> None:
    expected = [TinySamples().batch(one) for one in numbers]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert list(one) == list(other)
        for name, array in one.items():
            assert array.dtype == other[name].dtype and np.array_equal(array, other[name])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_in_order_from_any_number(workers: int) -> None:
    found = taken(Crew(TinySamples(), 3, first=4, workers=workers), 7)
    same(found, [[3 * batch, 3 * batch + 1, 3 * batch + 2] for batch in range(4, 11)])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_share_and_other_numbers(workers: int) -> None:
    found = taken(Crew(TinySamples(), 4, workers=workers, rank=1, world=2, offset=1000), 2)
    same(found, [[1001, 1003], [1005, 1007]])


class Uneven(TinySamples):
    def batch(self, numbers):  # type: ignore[no-untyped-def]
        made = super().batch(numbers)
        return {**made, "mask": made["mask"][:, :4]} if numbers[0] >= 4 else made


def test_an_array_of_another_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"samples 4 to 5: mask is \(2, 4, 8\) uint8.*\(2, 8, 8\) uint8"):
        taken(Crew(Uneven(), 2, workers=1), 4)


SCRIPT = """
import sys, time
from operators.training.crew import Crew
from tests.operators.training.tiny_training import TinySamples
if __name__ == "__main__":
    batches = iter(Crew(TinySamples(), 2, workers=1))
    next(batches)
    print("ready", flush=True)
    time.sleep(60)
"""


def test_nobody_outlives_a_training_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "killed.py")], stdout=subprocess.PIPE, env=environment
    ) as one:
        assert one.stdout is not None and one.stdout.readline() == b"ready\n"
        helpers = psutil.Process(one.pid).children(recursive=True)
        assert helpers
        one.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(helpers, timeout=20)
    assert not alive and len(gone) == len(helpers)


def test_those_who_make_samples_leave_stopping_to_the_one_that_trains() -> None:
    with closing(iter(Crew(TinySamples(), 2, workers=1))) as batches:
        next(batches)
        for helper in psutil.Process().children(recursive=True):
            if "spawn_main" in " ".join(helper.cmdline()):
                helper.send_signal(signal.SIGINT)
                helper.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        for _ in range(6):
            assert next(batches)["truth"].shape == (2, 8, 8, 3)
