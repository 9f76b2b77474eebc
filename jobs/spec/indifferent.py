"""Keys that change no output: where and how the work is done, and where it is kept."""

from __future__ import annotations

OF_ALL_JOBS = frozenset(
    {
        "name",
        "source.storage_options",
        "output.uri",
        "output.storage_options",
        "output.existing",
        "run.runner",
        "run.address",
        "run.placement",
        "run.workers",
        "run.gpus_per_worker",
        "run.threads",
        "run.max_quarantined",
        "run.samples",
        "run.isolate",
        "run.record_seconds",
        "run.unit_seconds",
        "run.worker_memory",
        "run.grace_seconds",
        "run.stall_seconds",
        "observe",
        "notify",
        "cluster",
    }
)
"""Those of every kind of job."""

UNIT_SIZES = frozenset({"run.unit_records", "run.unit_bytes"})
"""Keys that change output only where a unit becomes a shard."""
