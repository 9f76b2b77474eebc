"""Starting and joining a Ray cluster, and what fits on it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.errors import StorageError
from pipeline.stage import Resources

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
OBJECT_STORE_BYTES = 1 * 2**30
NO_PROGRESS_SECONDS = 300


@dataclass(frozen=True)
class Room:
    """What the cluster has now.

    Attributes:
        cpus: logical CPUs.
        gpus: GPUs.
    """

    cpus: float
    gpus: float

    def fits(self, needs: Resources) -> int:
        """How many workers with these needs there is room for, one CPU being left to Ray's own tasks."""
        counts = [(self.cpus - 1) / needs.cpus] if needs.cpus else []
        counts += [self.gpus / needs.gpus] if needs.gpus else []
        return int(min(counts)) if counts else 0


@contextmanager
def cluster(address: str | None) -> Iterator[Room]:
    """Join the named cluster, or start a private one on this machine and end it afterwards.

    A private cluster gets one logical CPU more than the machine has cores, since Ray's own task beside the workers
    does next to nothing. A bare `ray.init` would join whatever runs on the machine, hence the explicit "local".
    """
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    import ray  # noqa: PLC0415 - takes a second, and the local runner does not need it

    if ray.is_initialized():
        raise StorageError("this process is connected to a Ray cluster already; run the job from its own process")
    if address is None:
        ray.init(
            address="local",
            num_cpus=cores() + 1,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
        )
    else:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        from ray.data import DataContext  # noqa: PLC0415

        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.enable_operator_progress_bars = False
        context.execution_options.preserve_order = False
        context.print_on_execution_start = False
        context.execution_no_progress_timeout_s = NO_PROGRESS_SECONDS
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        resources = ray.cluster_resources()
        yield Room(float(resources.get("CPU", 0)), float(resources.get("GPU", 0)))
    finally:
        ray.shutdown()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))
