"""The process of a watched worker, started by `host.py` and by nothing else."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.errors import StorageError, WorkerError
from pipeline.parcel import Parcel
from pipeline.watched.messages import Done, PipeTrail, Ready, Task
from pipeline.worker import Worker, WorkerSpec

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = "1000"


def main() -> None:
    """Set the worker up, then advance units until the pipe is closed."""
    talk, lifeline, traces, parent = map(int, sys.argv[1:])
    faulthandler.enable(os.fdopen(traces, "wb", closefd=False))
    _end_with(parent, lifeline)
    # What the terminal sends goes to everyone in the foreground; the driver decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(OSError):  # the kernel, out of memory, is to end this process and not the one that watches it
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    pipe = Connection(talk)
    trail = PipeTrail(pipe)
    worker = _set_up(pipe.recv_bytes(), trail)
    if worker is None:
        return
    while True:
        try:
            task: Task = pipe.recv()
        except (EOFError, ConnectionError):
            return
        parcel = worker(Parcel.unpack(task.parcel), task.known)
        try:
            done = Done(parcel.pack())
        except Exception as error:  # noqa: BLE001 - whatever an item holds that does not travel
            done = Done(problem=f"cannot travel on ({error})")
        trail.say(done)


def _set_up(spec: bytes, trail: PipeTrail) -> Worker | None:
    """The worker, and word of it; None when it cannot be."""
    try:
        # From the process that started this one, over a pipe that nobody else has.
        made: tuple[WorkerSpec, tuple[int, ...]] = pickle.loads(spec)  # noqa: S301
        worker = Worker(*made, trail)
    except StorageError as error:
        trail.say(Ready("storage", str(error)))
    except WorkerError as error:
        trail.say(Ready("worker", str(error)))
    except Exception as error:  # noqa: BLE001 - a defect, whatever it is: said where it is heard
        trail.say(Ready("error", f"{type(error).__name__}: {error}"))
    else:
        trail.say(Ready())
        return worker
    return None


def _end_with(parent: int, lifeline: int) -> None:
    """Have this process end when the one that started it does, even while native code holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def wait() -> None:
        os.read(lifeline, 1)  # nothing is ever written: it returns when the other end is closed
        os._exit(0)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
