"""How a cache of models is changed: under a lock, and under a passing name until all is there."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from operators.models.errors import ModelFileError
from operators.models.folder import VARIABLE

LOCKS = ".locks"
PARTIAL = ".partial"
_PART = ".part-"
_GONE = ".gone-"
_ABANDONED_SECONDS = 24 * 3600.0
_POLL_SECONDS = 0.2


def make_writable(models: Path) -> None:
    """Make the folders that a change needs.

    Args:
        models: the cache's folder of models.

    Raises:
        ModelFileError: they cannot be made or written.
    """
    try:
        for part in (LOCKS, PARTIAL):
            (models / part).mkdir(parents=True, exist_ok=True)
        if not os.access(models, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _not_writable(models, error) from error


@contextmanager
def locked(models: Path, name: str, *, wait: bool = True) -> Iterator[bool]:
    """Keep other processes of this machine from changing a model; a process that dies gives its lock back.

    Args:
        models: the cache's folder of models.
        name: of the model.
        wait: until the lock is free; else False is given where it is not.

    Raises:
        ModelFileError: the cache cannot be written.
    """
    make_writable(models)
    lock = FileLock(models / LOCKS / f"{name}.lock", timeout=-1 if wait else 0)
    try:
        lock.acquire(poll_interval=_POLL_SECONDS)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise _not_writable(models, error) from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def fresh_folder(models: Path) -> Iterator[Path]:
    """A folder of a passing name beside the models, gone at the end unless it was renamed.

    Raises:
        ModelFileError: the cache cannot be written.
    """
    make_writable(models)
    _sweep(models)
    folder = Path(tempfile.mkdtemp(prefix=_PART, dir=models))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_away(folder: Path) -> None:
    """Remove a model's folder: at once for whoever looks for it, and then its bytes.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be removed.
    """
    gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=folder.parent))
    try:
        folder.rename(gone / folder.name)
    finally:
        shutil.rmtree(gone, ignore_errors=True)


def _sweep(models: Path) -> None:
    """Remove what killed processes left a day ago or longer."""
    for left in (*models.glob(f"{_PART}*"), *models.glob(f"{_GONE}*")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def flush(*files: Path) -> None:
    """Have the files' bytes on the disk."""
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _not_writable(models: Path, error: OSError) -> ModelFileError:
    said = error.strerror or type(error).__name__
    return ModelFileError(
        f"{models}: the cache of models cannot be written ({said}); name another folder (--cache, models.cache of a "
        f"job, or {VARIABLE}), or fetch the model as a user who may write there"
    )
