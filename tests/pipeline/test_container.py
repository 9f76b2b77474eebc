"""What control groups leave to a process: cores and memory of a container, or of a unit with limits."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path

import pytest

from pipeline import container
from pipeline.runners import ray_cluster

GIB = 2**30


class Groups:
    """A tree of control groups that a test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def here(self, *lines: str) -> None:
        (self.root / "own").write_text("".join(f"{line}\n" for line in lines))

    def write(self, name: str, text: object) -> None:
        path = self.root / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def memory(self, group: str, limit: object, used: int, droppable: int = 0) -> None:
        self.write(f"{group}memory.max", limit)
        self.write(f"{group}memory.current", used)
        self.write(f"{group}memory.stat", f"anon 5\ninactive_file {droppable}")


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Groups:
    monkeypatch.setattr(container, "CGROUP", tmp_path / "fs")
    monkeypatch.setattr(container, "OWN", tmp_path / "own")
    monkeypatch.setattr(ray_cluster, "MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {100 * GIB // 1024} kB\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    return Groups(tmp_path)


def test_a_machine_without_limits(groups: Groups) -> None:
    groups.here("0::/")
    groups.write("cpu.max", "max 100000")
    groups.memory("", "max", 3 * GIB)
    assert (container.cpus(), container.memory()) == (inf, (0, 0))
    assert ray_cluster.cores() == 16
    assert ray_cluster._free_bytes() == 100 * GIB


def test_no_control_groups_at_all(groups: Groups) -> None:
    assert (container.cpus(), container.memory()) == (inf, (0, 0))
    assert ray_cluster.cores() == 16


def test_a_container_of_version_2(groups: Groups) -> None:
    groups.here("0::/")
    groups.write("cpu.max", "750000 100000")
    groups.memory("", 8 * GIB, 5 * GIB, GIB)
    assert container.cpus() == 7.5
    assert ray_cluster.cores() == 7
    assert ray_cluster._free_bytes() == 4 * GIB


def test_a_container_of_version_1(groups: Groups) -> None:
    groups.here("4:memory:/docker/8f", "3:cpu,cpuacct:/docker/8f")  # the host's names, which are not seen inside
    groups.write("cpu/cpu.cfs_quota_us", 300000)
    groups.write("cpu/cpu.cfs_period_us", 100000)
    groups.write("memory/memory.limit_in_bytes", 6 * GIB)
    groups.write("memory/memory.usage_in_bytes", 2 * GIB)
    groups.write("memory/memory.stat", f"total_inactive_file {GIB}")
    assert ray_cluster.cores() == 3
    assert ray_cluster._free_bytes() == 5 * GIB


def test_version_1_without_a_quota(groups: Groups) -> None:
    groups.here("3:cpu:/")
    groups.write("cpu/cpu.cfs_quota_us", -1)
    groups.write("cpu/cpu.cfs_period_us", 100000)
    assert ray_cluster.cores() == 16


def test_the_tightest_of_all_groups_above_counts(groups: Groups) -> None:
    groups.here("0::/system.slice/facejobs@museum.service")
    groups.write("system.slice/cpu.max", "400000 100000")
    groups.write("system.slice/facejobs@museum.service/cpu.max", "max 100000")
    groups.memory("system.slice/", 64 * GIB, 60 * GIB)
    groups.memory("system.slice/facejobs@museum.service/", 20 * GIB, 2 * GIB)
    assert ray_cluster.cores() == 4
    assert container.memory() == (64 * GIB, 60 * GIB)
    assert ray_cluster._free_bytes() == 4 * GIB


def test_never_less_than_one_core_nor_than_no_memory(groups: Groups) -> None:
    groups.here("0::/")
    groups.write("cpu.max", "20000 100000")
    groups.memory("", GIB, 2 * GIB)
    assert ray_cluster.cores() == 1
    assert ray_cluster._free_bytes() == 0


def test_a_larger_share_than_the_cores_that_may_be_used(groups: Groups) -> None:
    groups.here("0::/")
    groups.write("cpu.max", "6400000 100000")
    groups.memory("", 900 * GIB, 0)
    assert ray_cluster.cores() == 16
    assert ray_cluster._free_bytes() == 100 * GIB
