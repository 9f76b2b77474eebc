"""What its control groups leave a process of the machine: a container's share, or that of a unit with limits.

A group's limit holds for all that is below it, so this process's own group and every one above count. In a container
with a name space of its own, the group at the top is the container's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

CGROUP = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def cpus() -> float:
    """Processors' worth of time (CFS quota by period); infinite where nothing limits it."""
    return min(_quotas(), default=float("inf"))


def memory() -> tuple[int, int]:
    """Limit and use in bytes of the group that leaves least; zeros where there is no limit.

    Pages of files that can be dropped at once do not count as used.
    """
    return min(_memories(), key=lambda pair: pair[0] - pair[1], default=(0, 0))


def _quotas() -> Iterator[float]:
    for folder in _groups("cpu"):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            if quota != "max":
                yield int(quota) / int(period)
        with suppress(OSError, ValueError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if int(quota) > 0:
                yield int(quota) / int(period)


def _memories() -> Iterator[tuple[int, int]]:
    for folder in _groups("memory"):
        for limit, used, droppable in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with suppress(OSError, ValueError):
                most = int((folder / limit).read_text())  # `max` is no number, and no limit
                rows = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                yield most, int((folder / used).read_text()) - int(rows.get(droppable, 0))


def _groups(controller: str) -> Iterator[Path]:
    """Folders of this process's groups: those of version 2, then those of the controller in version 1."""
    paths = {"": PurePosixPath("/"), controller: PurePosixPath("/")}
    with suppress(OSError):
        for line in OWN.read_text().splitlines():
            _, names, path = line.split(":", 2)
            paths |= {name: PurePosixPath(path) for name in names.split(",") if name in paths}
    for name, own in paths.items():
        for group in (own, *own.parents):
            yield CGROUP / name / group.relative_to("/")
