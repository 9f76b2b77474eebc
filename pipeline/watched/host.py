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

ENDING_SECONDS = 30.0
"""A process that is to end and is there after so long is killed; after as long again it is waited for no more."""

_START = "import sys; sys.path[:1] == [''] and sys.path.pop(0); from pipeline.watched.child import main; main()"
"""`python -m` would look for modules in the current folder first, and somebody may have put a `json.py` there.
Python 3.10 knows no option against it."""

_TRACE_BYTES = 16_384
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


class Process:
    """One process with a `Worker` in it.

    Args:
        spec: of the run.
        segments: that it runs.
    """

    def __init__(self, spec: WorkerSpec, segments: Sequence[int]) -> None:
        made = pickle.dumps((spec, tuple(segments)))
        self._pipe, theirs = Pipe()
        lifeline, mine = os.pipe()
        self._lifeline = os.fdopen(mine, "wb", buffering=0)
        self._traces = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        passed = (theirs.fileno(), lifeline, self._traces.fileno())
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                [sys.executable, "-c", _START, *map(str, passed), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                pass_fds=passed,
                # What this process can import the other one can: Ray and pytest add folders of their own.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(part or str(Path.cwd()) for part in sys.path)},
                start_new_session=True,
            )
        except OSError:
            self._pipe.close()
            self._lifeline.close()
            self._traces.close()
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        with suppress(ConnectionError):  # it ended already; whoever waits for it to say something learns that
            self._pipe.send_bytes(made)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._popen.pid

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._popen.poll() is not None

    def send(self, task: Task) -> None:
        """Hand over a unit. A process that has ended says so when it is listened to."""
        with suppress(ConnectionError):
            self._pipe.send(task)

    def hear(self, seconds: float | None) -> Said | None:
        """The next thing that it says; None when it says nothing for so long. Without a time it waits for ever.

        Raises:
            EOFError: it has ended, and all that it said was heard.
        """
        try:
            if not self._pipe.poll(seconds):
                # What it has started may have its end of the pipe, and live on: then nothing says that it is over.
                if not self.over or self._pipe.poll(0.0):
                    return None
                raise EOFError
            said: Said = self._pipe.recv()
        except (OSError, pickle.UnpicklingError) as error:  # it ended, perhaps in the middle of a message
            raise EOFError from error
        except MemoryError as error:  # there is no room here for what it says
            self.kill()
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
        for _ in range(2):
            with suppress(subprocess.TimeoutExpired):
                return self._popen.wait(ENDING_SECONDS)
            self.kill()  # it has closed its end of the pipe and goes on
        return -signal.SIGKILL  # it sits in a call of the system that nothing interrupts

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
        self._lifeline.close()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(5.0)
        if not self.over:
            self.kill()
            self.ended()
        self._traces.close()


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"it left with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name} ({signal.strsignal(-code)})"
    except ValueError:
        return f"it was ended by signal {-code}"
