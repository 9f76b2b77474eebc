"""A worker in a process of its own: told what to do, listened to, ended when it is stuck or greedy, started again."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from pipeline.errors import StorageError, WorkerError
from pipeline.parcel import Parcel, Receipt
from pipeline.watched.case import Case, Cause, Death
from pipeline.watched.clock import Clock
from pipeline.watched.host import Process, how
from pipeline.watched.limits import Limits
from pipeline.watched.memory import fair_share, held_by, killed_for_memory, short_of_memory
from pipeline.watched.messages import Done, Ready, Task
from pipeline.watched.stints import Stints
from pipeline.worker import WorkerSpec

LOOK_SECONDS = 0.05
"""How often a process that says nothing is looked at: at some GB a second memory is full within seconds."""

RECOVERY_SECONDS = 60.0
"""How long a machine without memory is given before a process is started on it again."""


class WatchedWorker:
    """Like a `Worker`, with packed parcels, in a process whose end is no more than a record's failure.

    Args:
        spec: of the run.
        segments: that it runs.
        limits: past which its process is ended.
        workers: how many of its kind the machine has room for; each has its share of the memory.

    Raises:
        WorkerError: a stage cannot be set up on this machine.
        StorageError: storage failed while a stage was set up.
    """

    def __init__(self, spec: WorkerSpec, segments: Sequence[int], limits: Limits, workers: int = 1) -> None:
        self._spec = spec
        self._segments = tuple(segments)
        self._limits = limits
        self._share = fair_share(workers)
        self._process: Process | None = self._started()

    def __call__(self, packed: bytes) -> bytes:
        """Advance a packed parcel; never raises for what a record or the storage did."""
        case = Case(self._limits)
        while True:
            try:
                came = self._advance(packed, case)
            except (StorageError, WorkerError) as error:
                return _given_up(packed, "storage" if isinstance(error, StorageError) else "worker", str(error))
            if isinstance(came, bytes):
                return came
            if isinstance(came, str):
                return _given_up(packed, "error", came)
            ending = case.learn(came)
            if ending is not None:
                return _given_up(packed, *ending)
            if came.cause == "machine_out_of_memory":
                _recover()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _started(self) -> Process:
        """A process that is set up, however long that takes: weights are fetched, and engines compiled."""
        try:
            process = Process(self._spec, self._segments)
        except OSError as error:  # no memory, no room for another process, no more open files
            raise WorkerError(f"a worker's process cannot be started: {error}") from error
        try:
            while (said := process.hear(LOOK_SECONDS)) is None:
                pass
        except EOFError:
            code, where = process.ended(), process.where()
            process.close()
            raise WorkerError(f"a worker's process ended while it was set up: {how(code)} {where}".rstrip()) from None
        assert isinstance(said, Ready)
        if not said.state:
            return process
        process.close()
        raise (StorageError if said.state == "storage" else WorkerError)(said.reason)

    def _advance(self, packed: bytes, case: Case) -> bytes | str | Death:
        """One try: the parcel, or why it cannot travel, or how the process ended."""
        if self._process is not None and self._process.over:  # somebody ended it while it had nothing to do
            self.close()
        process = self._process = self._process or self._started()
        stints, clock = Stints(), Clock()
        known = case.known
        begun = looked = clock.now()
        kills = killed_for_memory()
        process.send(Task(packed, known))
        while True:
            try:
                said = process.hear(LOOK_SECONDS)
            except EOFError:
                short = process.ended() == -signal.SIGKILL and killed_for_memory() > kills
                return self._ended(process, stints, "machine_out_of_memory" if short else "crash", held=stints.held)
            if isinstance(said, Done):
                return said.parcel or said.problem
            now = clock.now()
            if said is not None:
                stints.note(said, now)
                if now - looked < LOOK_SECONDS:
                    continue
            looked = now
            if (verdict := self._verdict(process, stints, now, None if known.careful else begun)) is not None:
                process.kill()
                return self._ended(process, stints, *verdict)

    def _verdict(
        self, process: Process, stints: Stints, now: float, begun: float | None
    ) -> tuple[Cause, str, int] | None:
        """Whether the process is to be ended: why, at which record, and what it holds."""
        limits = self._limits
        held = stints.held = held_by(process.pid)
        if limits.memory and held > limits.memory:
            return "too_much_memory", "", held
        if held > self._share and short_of_memory():
            return "machine_out_of_memory", "", held
        if key := stints.overdue(now, limits.record_seconds, limits.unit_seconds):
            return "slow_record", key, held
        if key := stints.waiting(now, limits.storage_seconds):
            return "storage", key, held
        if not stints.at and now - stints.heard > limits.storage_seconds:
            return "storage", "", held
        if begun is not None and now - begun > limits.unit_seconds:
            return "slow_unit", "", held
        return None

    def _ended(self, process: Process, stints: Stints, cause: Cause, guilty: str = "", held: int = 0) -> Death:
        code = process.ended()
        for said in process.rest():
            stints.note(said, 0.0)  # where it was, and no longer since when
        death = Death(cause, code, dict(stints.at), stints.marks, guilty, process.where(), held)
        process.close()
        self._process = None
        return death


def _recover() -> None:
    """Let the machine get its memory back: others may be at fault, and are ended by those that watch them."""
    until = time.monotonic() + RECOVERY_SECONDS
    while short_of_memory() and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _given_up(packed: bytes, state: str, message: str) -> bytes:
    parcel = Parcel.unpack(packed)
    parcel.end(Receipt(parcel.ref.unit_id, state, records=parcel.ref.records, message=message))
    return parcel.pack()
