"""Starting and joining a Ray cluster, and what fits on it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from math import ceil
from pathlib import Path

from pipeline import container
from pipeline.errors import RunnerError
from pipeline.runners.pools import Room

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
LEAST_STORE_BYTES = 1 * 2**30
"""Of a private cluster's object store: descriptors of units, and in a staged placement the crops between workers."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Ray's own place for its object store
NO_PROGRESS_SECONDS = 4 * 3600
"""Ray Data sees a unit only when it is finished, and calls all between no progress: a unit of very large scans on one
core may take an hour. What this is for is a starved cluster, which would wait for ever."""
CONNECT_SECONDS = 10.0
MEMINFO = Path("/proc/meminfo")


@contextmanager
def cluster(address: str | None, least_cpus: float = 0.0) -> Iterator[Room]:
    """Join the named cluster, or start a private one on this machine and end it afterwards.

    A private cluster gets one logical CPU more than the machine has cores, since Ray's own task beside the workers
    does next to nothing; and so many that one worker of each pool fits, since there is no other machine to put it on.
    A bare `ray.init` would join whatever runs on the machine, hence the explicit "local".

    Args:
        address: of a cluster; None starts a private one.
        least_cpus: logical CPUs that a private cluster has at least.
    """
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    import ray  # noqa: PLC0415 - takes a second, and the local runner does not need it

    if ray.is_initialized():
        raise RunnerError("this process is connected to a Ray cluster already; run the job from its own process")
    private = {
        "num_cpus": _private_cpus(least_cpus),
        "include_dashboard": False,
        "object_store_memory": _store_bytes(),
    }
    _check_listening(address)
    # Ray prints what befalls its workers to standard output, where only a command's results belong.
    with redirect_stdout(sys.stderr):
        try:
            with _hushed(), _own_signals():
                context = ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **(private if address is None else {}),
                )
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise RunnerError(f"the Ray cluster {address or 'of this machine'} cannot be reached: {error}") from error
        try:
            yield from _joined()
        finally:
            ray.shutdown()
            if address is None:
                # Ray never removes a session's folder (logs, sockets, spilled objects); many jobs would fill a disk.
                shutil.rmtree(context.address_info["session_dir"], ignore_errors=True)


def _joined() -> Iterator[Room]:
    """The room on the cluster that this process has joined."""
    import ray  # noqa: PLC0415
    from ray.data import DataContext  # noqa: PLC0415
    from ray.data.exceptions import ExecutionTimeoutError  # noqa: PLC0415

    try:
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.enable_operator_progress_bars = False
        context.execution_options.preserve_order = False
        context.print_on_execution_start = False
        context.execution_no_progress_timeout_s = NO_PROGRESS_SECONDS
        # A unit whose process died at every try is left out, so that the others are done; the driver misses its
        # receipt. Whatever else goes wrong with a unit comes in its receipt.
        context.max_errored_blocks = -1
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        resources = ray.cluster_resources()
        yield Room(*(float(resources.get(name, 0)) for name in ("CPU", "GPU", "memory")))
    except (ray.exceptions.RayError, ExecutionTimeoutError) as error:
        raise RunnerError(f"the Ray cluster gave up: {_root(error)}") from error


def _check_listening(address: str | None) -> None:
    """Find out in seconds whether anything answers at an address; `ray.init` would wait for it for many minutes."""
    host, _, port = (address or "").rpartition(":")
    if not host:
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise RunnerError(
            f"run.address: no Ray cluster answers at {address} ({error}); start one with `ray start --head`, or leave "
            "the key out for a private one"
        ) from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep Ray's native code from writing to standard error while it starts; what goes wrong comes as an exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a descriptor is wanted, not a path
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the driver's own answer to SIGTERM: `ray.init` puts in one that leaves without finishing anything."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as error:
        raise KeyboardInterrupt from error  # Ray's answer to a SIGTERM that came before its own was taken out again
    finally:
        signal.signal(signal.SIGTERM, before)


def _root(error: BaseException) -> str:
    """What a worker's exception says of its cause, without Ray's copy of the traceback."""
    cause: BaseException = getattr(error, "cause", None) or error
    lines = [line for line in str(cause).strip().splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[-1] if lines else ''}"


def this_machine(least_cpus: float = 0.0, gpus: int = 0) -> Room:
    """What a private cluster would have here, without starting one.

    Args:
        least_cpus: as for `cluster`.
        gpus: of this machine.
    """
    return Room(_private_cpus(least_cpus), gpus, max(_free_bytes() - _store_bytes(), 0))


def _private_cpus(least: float) -> int:
    return max(cores() + 1, ceil(least))


def _store_bytes() -> int:
    """A tenth of the free memory, as far as shared memory reaches: staged workers of several GPUs starve with less."""
    free = _free_bytes()
    if free == float("inf") or not SHARED_MEMORY.is_dir():
        return LEAST_STORE_BYTES
    return max(LEAST_STORE_BYTES, int(min(free / 10, 0.8 * shutil.disk_usage(SHARED_MEMORY).free)))


def _free_bytes() -> float:
    """Memory that could be had without swapping, in the machine and in this container; infinite where none says."""
    limit, used = container.memory()
    left = max(limit - used, 0) if limit else float("inf")
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return left
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return min(float(found[0]) * 1024 if found else float("inf"), left)


def cores() -> int:
    """Cores this process may use, or as many as a container's share of time is worth; at least one."""
    return max(1, int(min(len(os.sched_getaffinity(0)), container.cpus())))
