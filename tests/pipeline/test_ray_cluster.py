"""A private Ray cluster: what it prints, and what signals come to while it starts."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from ray.data.exceptions import ExecutionTimeoutError

from pipeline.errors import RunnerError
from pipeline.runners.ray_cluster import _own_signals, cluster


def test_what_ray_prints_goes_to_standard_error_and_a_starved_cluster_is_no_defect(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RunnerError, match="no progress"), cluster(None) as room:
        assert room.cpus >= 2
        print("(raylet) a worker died")  # as Ray's own listener does, from a thread of this process
        raise ExecutionTimeoutError("no progress for hours")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "(raylet) a worker died" in captured.err


def test_a_termination_that_meets_the_handler_of_ray_is_an_interruption() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _own_signals():
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(number))  # what `ray.init` does
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
