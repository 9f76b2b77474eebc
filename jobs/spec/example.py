"""The commented job file that `facejobs init` writes."""

from __future__ import annotations

from importlib import resources

from jobs.spec.job import JOBS
from jobs.spec.problems import listed


def example(kind: str = "restore") -> str:
    """A job file with every key at its default, and a comment for each.

    Args:
        kind: of job.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in JOBS:
        raise ValueError(f"there is no job kind '{kind}', expected {listed(list(JOBS))}")
    return (resources.files("jobs.spec") / "templates" / f"{kind}.yaml").read_text(encoding="utf-8")
