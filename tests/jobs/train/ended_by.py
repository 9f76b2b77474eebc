"""`facejobs` in a process of its own that a signal ends at a moment that a test names."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

from jobs.main import main
from jobs.train.keeper import Keeper
from pipeline.storage import Folder


@dataclass(frozen=True)
class Moment:
    """When a signal comes.

    Attributes:
        signal: its number.
        step: after this step is done.
        put: before a file whose name ends so is written.
    """

    signal: int = 0
    step: int = -1
    put: str = "never"


def processes() -> ForkServerContext:
    """Processes that have torch loaded when they begin, which takes seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def run(job: Path, moment: Moment) -> tuple[int, str]:
    """Run a job until the moment comes, if it does: exit code, negative for a signal, and what was said."""
    log = job.with_suffix(".log")
    process = processes().Process(target=_run, args=(str(job), moment, str(log)))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, log.read_text()


def _run(job: str, moment: Moment, log: str) -> None:
    said = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(said, 1)
    os.dup2(said, 2)
    tell, write = Keeper.tell, Folder.write

    def told(self, done, row):  # type: ignore[no-untyped-def]
        if done == moment.step:
            os.kill(os.getpid(), moment.signal)
        tell(self, done, row)

    def written(self, name, data):  # type: ignore[no-untyped-def]
        if name.endswith(moment.put):
            os.kill(os.getpid(), moment.signal)
        write(self, name, data)

    Keeper.tell, Folder.write = told, written  # type: ignore[method-assign]
    sys.argv = ["facejobs", "run", job]
    main()
