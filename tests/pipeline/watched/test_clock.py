"""Time in which the watcher stood still is nobody's."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from pipeline.parcel import Parcel
from pipeline.watched.clock import LAPSE_SECONDS, Clock
from pipeline.watched.limits import Limits
from pipeline.watched.watcher import WatchedWorker
from tests.pipeline.bed import Bed

from .poison import poisoned


def test_a_lapse_counts_little() -> None:
    times = iter([100.0, 100.25, 100.5, 5000.5, 5000.75])
    clock = Clock(lambda: next(times))
    assert [clock.now() for _ in range(4)] == [0.25, 0.5, 0.5 + LAPSE_SECONDS, 0.75 + LAPSE_SECONDS]


def test_a_record_is_not_slow_because_everything_was_stopped(tmp_path: Path) -> None:
    """As a paused container is, or a suspended machine: process and watcher, for longer than a record may take."""
    bed = Bed(tmp_path, {"a.txt": "steps"})
    (ref,) = bed.run.refs()
    watcher = os.fork()
    if watcher == 0:
        worker = WatchedWorker(replace(bed.spec, workflow=poisoned), (0, 1, 2), Limits(record_seconds=3.0))
        (tmp_path / "pid").write_text(str(worker._process.pid))  # type: ignore[union-attr]
        receipt = Parcel.unpack(worker(Parcel(ref).pack())).receipt
        worker.close()
        os._exit(0 if receipt is not None and receipt.ok == 1 else 1)
    while not bed.run.folder.names("attempts"):
        time.sleep(0.02)
    time.sleep(0.3)  # it takes 1.2 s
    both = (int((tmp_path / "pid").read_text()), watcher)
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3.5)
    for pid in both:
        os.kill(pid, signal.SIGCONT)
    assert os.waitpid(watcher, 0)[1] == 0
