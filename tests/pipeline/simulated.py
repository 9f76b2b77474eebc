"""A create-only object store in memory, and processes that are stopped before every storage call until told to go on.

A process is a thread that runs the real code. Only one runs at a time: between two of its storage calls nobody else
does anything, and whoever steps it says what becomes of each call. So a schedule is a list of decisions, and the same
decisions give the same course.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.storage import Folder


class Killed(BaseException):
    """The process was killed; like SIGKILL nothing that it would do on the way has an effect."""


@dataclass(frozen=True)
class Stored:
    """An object."""

    data: bytes
    sha256: str
    modified: float


@dataclass(frozen=True)
class Call:
    """One storage call.

    Attributes:
        verb: `read`, `write`, `create`, `delete`, `list` or `folders`.
        path: whole path in the store.
        data: what is put.
    """

    verb: str
    path: str
    data: bytes = b""

    @property
    def changes(self) -> bool:
        """Whether it has an effect that can come late."""
        return self.verb in ("write", "create", "delete")


@dataclass
class Store:
    """Objects by path, requests that are still on their way, and the time."""

    time: float
    objects: dict[str, Stored] = field(default_factory=dict)
    late: list[Call] = field(default_factory=list)
    on_change: Callable[[Call], None] = lambda call: None

    def do(self, call: Call) -> Any:
        """Perform a call; an absent object is answered with the error that a reader gets."""
        if call.verb == "read":
            stored = self.objects.get(call.path)
            return stored.data if stored else FileNotFoundError(call.path)
        if call.verb in ("list", "folders"):
            return self._listed(call)
        if call.verb == "create" and call.path in self.objects:
            return False
        if call.verb == "delete":
            self.objects.pop(call.path, None)
        else:
            self.objects[call.path] = Stored(call.data, hashlib.sha256(call.data).hexdigest(), self.time)
        self.on_change(call)
        return True

    def _listed(self, call: Call) -> list[Any]:
        start = f"{call.path}/"
        names = sorted(path.removeprefix(start) for path in self.objects if path.startswith(start))
        if call.verb == "folders":
            return sorted({name.split("/")[0] for name in names if "/" in name})
        return [(name, self._info(start + name)) for name in names]

    def _info(self, path: str) -> dict[str, Any]:
        stored = self.objects[path]
        return {"name": path, "type": "file", "size": len(stored.data), "mtime": stored.modified}


class Process:
    """Code that runs until its next storage call, and no further.

    Args:
        work: what it does; gets the process, to open folders of it.
    """

    def __init__(self, work: Callable[[Process], Any]) -> None:
        self.call: Call | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self.killed = False
        self._answer: Any = None
        self._asked, self._answered = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._asked.acquire()

    def ask(self, call: Call) -> Any:
        """Inside the process: hand over a call and wait for its answer."""
        if self.killed:
            raise Killed
        self.call = call
        self._asked.release()
        self._answered.acquire()
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    def answer(self, answer: Any) -> None:
        """Outside: give the answer, an exception to be raised for one, and wait for the next call or the end."""
        self.call, self._answer = None, answer
        self._answered.release()
        self._asked.acquire()

    def kill(self) -> None:
        """Outside: the call that it waits for is never answered, and whatever it tries next has no effect."""
        if not self.ended:
            self.killed = True
            self.answer(Killed())
            self._thread.join()

    def _run(self, work: Callable[[Process], Any]) -> None:
        try:
            self.result = work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever steps the process judges it
            self.error = error
        self.ended = True
        self._asked.release()


@dataclass(frozen=True)
class SimFolder(Folder):
    """A folder in the simulated store; the calls of one without a process are done at once.

    Storage calls of one process must come one after the other, so many reads at once (`pipeline.fetching`) have to be
    put in a row.
    """

    store: Store = field(default_factory=lambda: Store(0.0), repr=False)
    process: Process | None = field(default=None, repr=False)

    @property
    def fs(self) -> Any:
        return object()

    @property
    def root(self) -> str:
        return self.uri.removeprefix("sim://")

    def child(self, name: str) -> SimFolder:
        return type(self)(f"{self.uri}/{name}", store=self.store, process=self.process)

    def read(self, name: str) -> bytes:
        return bytes(self._do("read", name))

    def write(self, name: str, data: bytes) -> None:
        self._do("write", name, data)

    def upload(self, name: str, source: Path) -> None:
        self._do("write", name, source.read_bytes())

    def create(self, name: str, data: bytes) -> bool:
        return bool(self._do("create", name, data))

    def delete(self, name: str) -> None:
        self._do("delete", name)

    def names(self, prefix: str = "") -> list[str]:
        return sorted(name for name, _ in self.walk(prefix))

    def walk(self, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        start = f"{prefix}/" if prefix else ""
        for name, info in self._do("list", prefix):
            yield start + name, info

    def children(self, prefix: str = "") -> list[str]:
        return list(self._do("folders", prefix))

    def _do(self, verb: str, name: str, data: bytes = b"") -> Any:
        call = Call(verb, self.path(name), data)
        if self.process is not None:
            return self.process.ask(call)
        answer = self.store.do(call)
        if isinstance(answer, BaseException):
            raise answer
        return answer
