"""Telling when memory is short, on a machine and in a container."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pipeline import container
from pipeline.driver import drive
from pipeline.quarantine import standing
from pipeline.runners.local import LocalRunner
from pipeline.watched import memory, watcher
from pipeline.watched.limits import Limits
from tests.pipeline.bed import Bed

from .poison import poisoned

GIB = 2**30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 100 GiB, of which 50 are left, and no container; the folder that says what a container may use."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=100 * GIB, available=50 * GIB))
    monkeypatch.setattr(container, "CGROUP", tmp_path)
    monkeypatch.setattr(container, "OWN", tmp_path / "cgroup")
    return tmp_path


def contained(folder: Path, limit: str, used: int, droppable: int) -> None:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {droppable}\n")


def test_a_machine_is_short_below_a_share(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not memory.short_of_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=100 * GIB, available=6 * GIB))
    assert memory.short_of_memory()


def test_a_container_is_short_by_its_own_limit(machine: Path) -> None:
    contained(machine, "max", 99 * GIB, 0)
    assert not memory.short_of_memory()
    contained(machine, str(10 * GIB), int(9.5 * GIB), 0)
    assert memory.short_of_memory()
    contained(machine, str(10 * GIB), int(9.5 * GIB), 2 * GIB)  # pages of files that can be dropped
    assert not memory.short_of_memory()


def test_a_container_of_the_first_version(machine: Path) -> None:
    (machine / "memory").mkdir()
    for name, value in (
        ("limit_in_bytes", 10 * GIB),
        ("usage_in_bytes", int(9.9 * GIB)),
        ("stat", "total_inactive_file 0"),
    ):
        (machine / "memory" / f"memory.{name}").write_text(str(value))
    assert memory.short_of_memory()


def test_a_fair_share_is_of_what_the_container_may_use(machine: Path) -> None:
    assert memory.fair_share(4) == 25 * GIB
    assert memory.fair_share(1) == 50 * GIB  # nobody holds more than all
    contained(machine, str(10 * GIB), 0, 0)
    assert memory.fair_share(4) == 2.5 * GIB


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert memory.held_by(2**22 + 1) == 0
    assert memory.held_by(1) > 0


def test_kills_are_read_from_the_kernel_where_it_counts_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "VMSTAT", tmp_path / "vmstat")
    assert memory.killed_for_memory() == 0
    (tmp_path / "vmstat").write_text("nr_free_pages 7\noom_kill 3\n")
    assert memory.killed_for_memory() == 3


def test_on_a_machine_that_runs_out_the_greedy_process_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `worker_memory`; the machine is said to be short as soon as a process has more than its share."""
    monkeypatch.setattr(watcher, "fair_share", lambda workers: 500 * 2**20)
    monkeypatch.setattr(watcher, "short_of_memory", short_and_well())
    bed = Bed(tmp_path, {"a.txt": "one", "b.txt": "memory", "c.txt": "two"}, unit_records=3)
    spec = replace(bed.spec, workflow=poisoned)
    outcome = drive(bed.run, LocalRunner(Limits()), spec, "fused", 100, lambda tally, receipt: None)
    assert (outcome.state, outcome.tally.ok) == ("complete", 2)
    (row,) = standing(bed.run)
    assert (row.key, row.code) == ("b.txt", "out_of_memory")
    assert "when the machine ran out of memory" in row.message


def short_and_well() -> Callable[[], bool]:
    """Short whenever asked about a greedy process, and well again when asked whether the machine has recovered."""
    answers = iter([True, False] * 100)
    return lambda: next(answers)
