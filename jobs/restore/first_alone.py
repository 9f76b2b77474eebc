"""The first worker of a machine prepares a network alone, so that the others find what it compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

LOCKS = ".locks"


@contextmanager
def first_alone(folder: Path, what: str) -> Iterator[None]:
    """Hold others back until one process has come through the block; then all pass at once.

    Workers start together, and compiling takes minutes and more memory than running: done by all of them at once, it
    would be done many times. Where the folder cannot be written, nobody is held back.

    Args:
        folder: where compiled engines are kept on this machine.
        what: tells what is prepared from everything else.
    """
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    prepared = folder / LOCKS / f"{name}.prepared"
    lock = FileLock(folder / LOCKS / f"{name}.lock")
    try:
        prepared.parent.mkdir(parents=True, exist_ok=True)
        if not prepared.exists():
            lock.acquire(poll_interval=0.2)
    except OSError:
        yield
        return
    try:
        if prepared.exists():
            lock.release()
        yield
        if lock.is_locked:
            prepared.touch()
    finally:
        lock.release()
