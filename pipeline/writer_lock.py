"""Single-writer mode: on a store without conditional put, one driver at a time holds an output, and says so there.

The lock is one object, `_facejobs/writer.json`. It cannot be taken in one step, since that is what the store lacks. So
a driver writes it, waits, and reads it back: of two that wrote at once, the later one is the holder. Whoever finds his
own token gone has been replaced, and every create-only put of a run looks before it writes (`Folder.create`).
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from types import TracebackType
from typing import ParamSpec

from pipeline import layout
from pipeline.conditional import conditional_put
from pipeline.errors import RunConflictError
from pipeline.intact import intact
from pipeline.marks import space
from pipeline.retries import is_storage
from pipeline.run import Run
from pipeline.storage import Folder, SoleWriter

P = ParamSpec("P")

BEAT_SECONDS = 20.0
"""How often the holder renews the lock."""

EXPIRY_SECONDS = 300.0
"""A lock that was not renewed for so long may be taken over; more than storage's patience of two minutes."""

PAUSE_SECONDS = 2.0
"""Between writing the lock and reading it back."""

WATCH_BEATS = 2.5
"""A lock that seems expired is watched for so many beats: the other machine's clock may be wrong."""


@dataclass(frozen=True)
class Holder:
    """What the lock says.

    Attributes:
        token: random, tells this driver from every other.
        host: the holder's machine.
        pid: its process there.
        space: what the process number is relative to: the machine's boot and its process namespace; empty if unknown.
        since: when it was taken, ISO 8601, UTC.
        renewed: seconds since 1970, by the holder's clock.
        beats: how often it was renewed.
    """

    token: str
    host: str
    pid: int
    space: str
    since: str
    renewed: float
    beats: int = 0

    @staticmethod
    def me() -> Holder:
        """This process, now."""
        since = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return Holder(uuid.uuid4().hex, socket.gethostname(), os.getpid(), space(), since, time.time())

    @property
    def name(self) -> str:
        """For people."""
        return f"process {self.pid} on {self.host}, since {self.since}"

    @property
    def expired(self) -> bool:
        """Whether its last sign of life is too old, or so far in the future that its clock tells nothing."""
        return abs(time.time() - self.renewed) > EXPIRY_SECONDS

    @property
    def dead(self) -> bool:
        """Whether it ran on this machine and does no more."""
        if not self.space or self.space != space():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


class SoleWriters:
    """Outputs that this process holds; a context manager that lets go of them at its end.

    Args:
        say: told, once for each output, what its store lacks.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._outputs: dict[str, Folder] = {}
        self._locks: list[Lock] = []

    def output(self, folder: Folder) -> Folder:
        """The output as it must be written to: as it is, or, where its store has no create-only put, held by us.

        The store is probed once.

        Raises:
            RunConflictError: another driver holds it.
            StorageError: storage does not answer or refuses.
        """
        if folder.uri not in self._outputs:
            self._outputs[folder.uri] = self._claimed(folder)
        return self._outputs[folder.uri]

    def run(self, run: Run) -> Run:
        """The run in an output that is ours, likewise."""
        return replace(run, output=self.output(run.output))

    def check(self) -> None:
        """Raise RunConflictError once another driver has taken an output over, or this one could not renew its lock."""
        for lock in self._locks:
            lock.check()

    def hold(self, lock: Lock) -> None:
        """Acquire one more lock, which is checked and let go of like the others.

        Raises:
            RunConflictError: another process that may be alive has it.
        """
        lock.acquire()
        self._locks.append(lock)

    def checking(self, call: Callable[P, None]) -> Callable[P, None]:
        """A function that checks, and then does what `call` does."""

        def checked(*args: P.args, **kwargs: P.kwargs) -> None:
            self.check()
            call(*args, **kwargs)

        return checked

    def _claimed(self, folder: Folder) -> Folder:
        finding = conditional_put(folder)
        if finding.conditional:
            return folder
        lock = Lock(folder)
        lock.acquire()
        self._locks.append(lock)
        self._say(_notice(folder, finding.lacks))
        return replace(folder, sole=SoleWriter(folder.uri, layout.WRITER, lock.me.token))

    def __enter__(self) -> SoleWriters:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for lock in self._locks:
            lock.release()


class Lock:
    """The lock of one output, renewed by a thread.

    Args:
        folder: the output.
        name: of the lock in it.
    """

    def __init__(self, folder: Folder, name: str = layout.WRITER) -> None:
        self.name = name
        self.me = Holder.me()
        self._folder = folder
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="writer-lock", daemon=True)
        self._alive_at = time.monotonic()
        self._lost = ""

    def acquire(self) -> None:
        """Take the lock. Raises RunConflictError when another driver that may be alive has it."""
        there = self._read()
        if there is not None and not there.dead:
            self._watch(there)
        self._write()
        time.sleep(PAUSE_SECONDS)
        now = self._read()
        if now is None or now.token != self.me.token:
            raise self._conflict(now)
        self._start()

    def _start(self) -> None:
        """It is ours from now on."""
        self._alive_at = time.monotonic()
        self._thread.start()

    def check(self) -> None:
        """See `SoleWriters.check`."""
        if not self._lost and time.monotonic() - self._alive_at > EXPIRY_SECONDS:
            self._lost = f"{self._place}: could not be renewed for {EXPIRY_SECONDS:.0f} s, so another may have taken it"
        if self._lost:
            raise RunConflictError(f"{self._lost}; this run stops, and running it again continues")

    def release(self) -> None:
        """Stop renewing, and remove the lock if it is still ours."""
        self._end.set()
        self._thread.join(BEAT_SECONDS)
        try:
            there = self._read()
            if there is not None and there.token == self.me.token:
                self._folder.delete(self.name)
        except Exception as error:  # what the run ended with matters more; the lock expires by itself
            if not is_storage(error):
                raise

    @property
    def _place(self) -> str:
        return f"{self._folder.uri}/{self.name}"

    def _watch(self, there: Holder) -> None:
        """Refuse a lock that is renewed, and wait to see whether one that looks expired is."""
        if not there.expired:
            raise self._conflict(there)
        time.sleep(WATCH_BEATS * BEAT_SECONDS)
        now = self._read()
        if now is not None and (now.token, now.beats) != (there.token, there.beats):
            raise self._conflict(now)

    def _conflict(self, there: Holder | None) -> RunConflictError:
        age = max(time.time() - there.renewed, 0.0) if there else 0.0
        who = f"{there.name}, whose last sign of life is {age:.0f} s old" if there else "it was removed meanwhile"
        return RunConflictError(
            f"{self._place}: another driver writes to this output, and its store cannot keep two apart: {who}. Wait "
            f"until it ends; if it was killed, the lock can be taken over {EXPIRY_SECONDS / 60:.0f} minutes later, or "
            "remove the file if you are certain"
        )

    def _renew(self) -> None:
        while not self._end.wait(BEAT_SECONDS):
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001 - a beat that storage swallows is not the last
                if not is_storage(error):
                    self._lost = f"{self._place}: cannot be renewed ({type(error).__name__}: {error})"
            if self._lost:
                return

    def _beat(self) -> None:
        """Renew the lock, or find that it is another's."""
        there = self._read()
        if there is None or there.token != self.me.token:
            self._lost = f"{self._place}: {f'was taken by {there.name}' if there else 'was removed'}"
            return
        self.me = replace(self.me, renewed=time.time(), beats=self.me.beats + 1)
        self._write()
        self._alive_at = time.monotonic()

    def _read(self) -> Holder | None:
        try:
            with intact(self._folder, self.name, "remove it, if no other run writes to this output"):
                return Holder(**json.loads(self._folder.read(self.name)))
        except FileNotFoundError:
            return None

    def _write(self) -> None:
        self._folder.write(self.name, json.dumps(asdict(self.me)).encode())


def _notice(folder: Folder, lacks: str) -> str:
    return (
        f"WARNING: {folder.uri}: this store has no create-only put that can be relied on: {lacks}. The run goes on in "
        f"single-writer mode: this process holds {layout.WRITER} there and renews it every {BEAT_SECONDS:.0f} s; "
        "another `facejobs run` or `facejobs retry` of this output is refused meanwhile, and may take over when the "
        f"lock was not renewed for {EXPIRY_SECONDS / 60:.0f} minutes. Still promised: a commit follows its outputs, a "
        "unit has one commit, and an interrupted run continues. Not promised: that two processes which commit one "
        "unit in the same moment are told apart (a worker taken for dead that is not); what the one of them wrote may "
        "be left over as files that no commit names"
    )
