"""Writing whole files on local disks: beside the target, then moved or linked to their name."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StorageError

# How names of files begin that are being written, before host and process; see `pipeline.sweep`.
PART = ".part-"

# What a file system answers that knows no hard links: FAT and exFAT, many network and FUSE mounts.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
# And one that knows no rename which refuses.
_NO_SUCH_RENAME = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1


class NoCreateOnlyError(StorageError):
    """The store has no way to put an object only where none is."""


def write_local(path: Path, data: bytes, *, create_only: bool) -> None:
    """Write a file so that no reader ever sees a part of it, and, if asked to, only where none is.

    Raises:
        FileExistsError: one is there, and `create_only`.
        NoCreateOnlyError: this file system can refuse nothing, and `create_only`.
    """
    with _beside(path) as temporary:
        temporary.write_bytes(data)
        _flush(temporary)
        temporary.chmod(0o644)
        if create_only:
            _claim(temporary, path)
        else:
            temporary.replace(path)


def copy_local(source: Path, path: Path) -> None:
    """Copy a file to its place, likewise."""
    with _beside(path) as temporary:
        shutil.copyfile(source, temporary)
        _flush(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)


def this_host() -> str:
    """This machine's name, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())[:64]


def _claim(temporary: Path, path: Path) -> None:
    """Give a whole file its name unless that is taken: by a hard link, or by a rename that refuses (renameat2(2)).

    Creating the name first (`O_EXCL`) and filling it then would refuse a second writer as well, but a reader could see
    half a commit, and a process killed in between would leave one for ever.
    """
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_new(temporary, path)


def _rename_new(source: Path, target: Path) -> None:
    """Rename, refused where the new name exists; FAT and exFAT have it on Linux, NFS has not."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # glibc 2.28, musl 1.2.6; Linux only
    number = errno.ENOSYS
    if rename is not None:
        if not rename(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE):
            return
        number = ctypes.get_errno()
    if number in _NO_SUCH_RENAME:
        raise NoCreateOnlyError(
            f"{target}: this file system has neither hard links nor a rename that refuses a name that is taken"
        )
    raise OSError(number, os.strerror(number), str(target))


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary file in the folder where `path` is to be, gone at the end unless it was moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PART}{this_host()}-{os.getpid()}-")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the file's bytes on disk before its name appears."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
