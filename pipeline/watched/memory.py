"""How much memory a process holds, and whether the machine is about to run out."""

from __future__ import annotations

from pathlib import Path

import psutil

from pipeline import container

SHORT_SHARE = 0.07
"""Less than this share of the memory left is short: Ray ends workers of its own choice at 0.05."""

VMSTAT = Path("/proc/vmstat")


def held_by(pid: int) -> int:
    """Resident bytes of a process; 0 when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def short_of_memory() -> bool:
    """Whether this machine, or the container that this process is in, has next to no memory left."""
    machine = psutil.virtual_memory()
    if machine.available < SHORT_SHARE * machine.total:
        return True
    limit, used = container.memory()
    return 0 < limit < machine.total and limit - used < SHORT_SHARE * limit


def fair_share(workers: int) -> float:
    """Bytes that each of so many workers may hold before it counts as greedy; a single one may hold half of all."""
    limit, _ = container.memory()
    total = int(psutil.virtual_memory().total)
    return (min(limit, total) if limit else total) / max(2, workers)


def killed_for_memory() -> int:
    """How many processes the kernel has killed for want of memory since it started; 0 where it does not say."""
    try:
        lines = VMSTAT.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
