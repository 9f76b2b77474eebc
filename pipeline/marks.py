"""Marks: who began something, where and when; and whether that can still be going on."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ALIVE_SECONDS = 24 * 3600.0
"""What began longer ago has ended: a unit is minutes of work, and no storage request lives for a day."""


def clock() -> float:
    """Seconds since 1970; the one clock of all marks."""
    return time.time()


def now() -> str:
    """The time in ISO 8601, UTC, to the millisecond."""
    return datetime.fromtimestamp(clock(), timezone.utc).isoformat(timespec="milliseconds")


def new_mark(token: str) -> dict[str, Any]:
    """A mark of this process, now."""
    return {"token": token, "host": socket.gethostname(), "pid": os.getpid(), "space": space(), "started": now()}


def is_over(mark: Mapping[str, Any]) -> bool:
    """Whether what was marked has certainly ended: long ago, or its process ran here and is gone."""
    if datetime.fromisoformat(mark["started"]).timestamp() < clock() - ALIVE_SECONDS:
        return True
    return bool(mark["space"]) and mark["space"] == space() and not alive(int(mark["pid"]))


def said(mark: Mapping[str, Any]) -> str:
    """Who and when, in words."""
    return f"process {mark['pid']} on {mark['host']} at {mark['started']}"


def space() -> str:
    """What makes a process number unambiguous: this boot of the machine and the process namespace (proc(5)).

    Empty where that is not known: then nothing is said of whether a process is gone.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
