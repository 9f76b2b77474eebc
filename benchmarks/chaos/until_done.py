"""Starting a job again and again until it is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.chaos.killer import Killer, killing

MOST_STARTS = 400
LONGEST_START = 900.0
"""A start of the command that takes longer than this has hung."""


@dataclass(frozen=True)
class Ended:
    """A job that was started until it was done."""

    code: int
    starts: Counter[int]
    seconds: float
    left_over: int


def run_until_done(job: Path, environment: Mapping[str, str], killer: Killer | None) -> Ended:
    """Start `facejobs run` again and again until it says that it is done, and then nothing is left to kill."""
    begun = time.monotonic()
    codes: Counter[int] = Counter()
    while sum(codes.values()) < MOST_STARTS:
        command = subprocess.Popen(
            [sys.executable, "-m", "jobs", "run", str(job)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
            errors="replace",
        )
        with killing(killer, command.pid):
            try:
                _, said = command.communicate(timeout=LONGEST_START)
            except subprocess.TimeoutExpired:
                command.kill()
                raise RuntimeError(f"a start of the command hung for {LONGEST_START:g} s") from None
        codes[command.returncode] += 1
        if command.returncode in (0, 3):
            return Ended(command.returncode, codes, time.monotonic() - begun, left_over())
        if command.returncode not in (-signal.SIGKILL, 1, 6, 130):
            raise RuntimeError(f"exit code {command.returncode}:\n{said[-3000:]}")
    raise RuntimeError(f"not done after {MOST_STARTS} starts: {dict(codes)}\n{said[-3000:]}")


def left_over() -> int:
    """Processes of workers that nobody watches any more, some seconds later."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        count = sum("pipeline.watched.child" in " ".join(_line(process)) for process in psutil.process_iter())
        if not count:
            return 0
        time.sleep(0.5)
    return count


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def command(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of another command of facejobs."""
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.returncode, (done.stdout + done.stderr).strip()
