"""Starting the process of a watched worker, hearing what it says, and learning how it ended."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

from pipeline.watched.messages import Said, Task
from pipeline.worker import WorkerSpec

_TRACE_BYTES = 16_384
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


class Process:
    """One process with a `Worker` in it.

    Args:
        spec: of the run.
        segments: that it runs.
    """

    def __init__(self, spec: WorkerSpec, segments: Sequence[int]) -> None:
        self._pipe, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        self._traces = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        passed = (theirs.fileno(), lifeline, self._traces.fileno())
        self._popen = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            [sys.executable, "-m", "pipeline.watched.child", *map(str, passed), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            pass_fds=passed,
            # What this process can import the other one can: Ray and pytest add folders of their own.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(part or str(Path.cwd()) for part in sys.path)},
            start_new_session=True,
        )
        theirs.close()
        os.close(lifeline)
        with suppress(BrokenPipeError):  # it ended already; whoever waits for it to say something learns that
            self._pipe.send_bytes(pickle.dumps((spec, tuple(segments))))

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._popen.pid

    def send(self, task: Task) -> None:
        """Hand over a unit. A process that has ended says so when it is listened to."""
        with suppress(BrokenPipeError):
            self._pipe.send(task)

    def hear(self, seconds: float | None) -> Said | None:
        """The next thing that it says; None when it says nothing for so long. Without a time it waits for ever.

        Raises:
            EOFError: it has ended, and all that it said was heard.
        """
        try:
            if not self._pipe.poll(seconds):
                return None
            said: Said = self._pipe.recv()
        except (ConnectionResetError, BrokenPipeError) as error:
            raise EOFError from error
        except (pickle.UnpicklingError, MemoryError) as error:  # it ended in the middle of a message
            raise EOFError from error
        return said

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def rest(self) -> Iterator[Said]:
        """What it had still said when it ended."""
        with suppress(EOFError):
            while (said := self.hear(0.0)) is not None:
                yield said

    def ended(self) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        return self._popen.wait()

    def where(self) -> str:
        """Where its code was when a signal ended it: the innermost line outside of libraries, or nothing."""
        self._traces.seek(0)
        written = self._traces.read(_TRACE_BYTES).decode(errors="replace")
        # faulthandler writes down every thread; the one that got the signal is the current one.
        thread = written.partition("Current thread")[2].partition("\n\n")[0]
        frames = _FRAME.findall(thread)
        ours = [frame for frame in frames if "site-packages" not in frame[0] and "/lib/python" not in frame[0]]
        for path, line, function in (ours or frames)[:1]:
            return f"line {line} of {Path(path).name}, in {function}"
        return ""

    def close(self) -> None:
        """End it, when it has nothing more to do."""
        self._pipe.close()
        with suppress(OSError):
            os.close(self._lifeline)
        try:
            self._popen.wait(5.0)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._traces.close()


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"it left with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name} ({signal.strsignal(-code)})"
    except ValueError:
        return f"it was ended by signal {-code}"
