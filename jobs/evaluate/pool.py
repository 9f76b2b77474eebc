"""Tasks in this process or in several, in order, and never many ahead of whoever takes the results."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

from jobs.errors import CommandError
from jobs.evaluate.plan import Plan, Task
from jobs.evaluate.worker import Looked, Worker
from jobs.exits import Exit

AHEAD = 4
"""Tasks that wait for each process."""

_workers: list[Worker | Exception] = []
"""One in each process of a pool: its worker, or what kept it from being set up."""


def looked_at(plan: Plan, tasks: Iterable[Task], processes: int) -> Iterator[Looked]:
    """Do tasks, in their order; what comes out does not depend on the number of processes.

    Args:
        plan: what workers have to know.
        tasks: of it.
        processes: 1 does them here.

    Raises:
        CommandError: a process died.
        Exception: whatever `Worker` raises.
    """
    bare = plan.bare()
    if processes == 1:
        worker = Worker(bare)
        with _said_of_settings():
            worker.setup()
        yield from map(worker.look, tasks)
        return
    context = multiprocessing.get_context("spawn")  # forking what runs torch's threads can stand still
    with ProcessPoolExecutor(processes, context, _begin, (bare,)) as pool:
        waiting: deque[Future[Looked]] = deque()
        left = iter(tasks)
        try:
            with _said_of_settings():
                pool.submit(_ready).result()
            waiting.extend(pool.submit(_look, task) for task in islice(left, AHEAD * processes))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(_look, task) for task in islice(left, 1))
        except BrokenProcessPool as error:
            raise CommandError(
                f"one of {processes} processes died, most likely for want of memory: take fewer --processes",
                Exit.FAILED,
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _said_of_settings() -> Iterator[None]:
    """What networks say of settings that do not fit them is for the user."""
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error), Exit.BAD_JOB) from error


def _begin(plan: Plan) -> None:
    """Make this process's worker. What fails is kept: raised here, it would be lost with the process."""
    worker = Worker(plan)
    try:
        worker.setup()
    except Exception as error:  # noqa: BLE001  raised again by whoever asks
        _workers[:] = [error]
    else:
        _workers[:] = [worker]


def _ready() -> None:
    """Raise what kept this process's worker from being set up."""
    if isinstance(_workers[0], Exception):
        raise _workers[0]


def _look(task: Task) -> Looked:
    _ready()
    worker = _workers[0]
    assert isinstance(worker, Worker)
    return worker.look(task)
