"""Whether a store keeps the one promise the ledger needs: a create-only put is refused where something is there."""

from __future__ import annotations

import errno
import uuid
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from pipeline.local_disk import NoCreateOnlyError
from pipeline.refusals import said
from pipeline.retries import response_code
from pipeline.storage import Folder

_FIRST, _SECOND = b"first", b"second"

# What a store or its client says of a condition that it does not know.
_UNKNOWN = (NotImplementedError, TypeError, ValueError, NoCreateOnlyError)
_UNKNOWN_CODES = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedOperation"})


@dataclass(frozen=True)
class Finding:
    """What a probe came to.

    Attributes:
        conditional: whether create-only puts can be relied on.
        lacks: what is wrong, for people; empty when nothing is.
    """

    conditional: bool
    lacks: str = ""


def conditional_put(folder: Folder) -> Finding:
    """Put a probe twice, expect a refusal of the second, see that the first stands, and remove it: four requests.

    A client of fsspec that looks whether the name is free and writes then would pass, though two workers can do it at
    once; such a client is told by its code, which is the one that it inherits.

    Args:
        folder: of the output; the probe goes below its `_facejobs/`.

    Raises:
        StorageError: storage does not answer or refuses.
        OSError: likewise.
    """
    if _looks_first(folder.fs):
        return Finding(False, "its client looks whether a name is free and writes then, which two can do at once")
    name = f"_facejobs/.probe-{uuid.uuid4().hex}"
    try:
        finding = _try_twice(folder, name)
    except _UNKNOWN as error:
        finding = Finding(False, f"it knows no create-only put ({type(error).__name__}: {error})")
    except OSError as error:
        if error.errno != errno.ENOSYS and response_code(error) not in _UNKNOWN_CODES:
            raise
        finding = Finding(False, f"it knows no create-only put {said(error)}")
    folder.delete(name)  # not where storage failed: it would fail for this as well, after as long a wait
    return finding


def _try_twice(folder: Folder, name: str) -> Finding:
    # The first may be refused though nobody else knows the name: it got through, and its reply was lost.
    if not folder.create(name, _FIRST) and folder.read(name) != _FIRST:
        return Finding(False, "it refused a create-only put of a name that was free")
    if folder.create(name, _SECOND):
        return Finding(False, "it took a second create-only put of the same name instead of refusing it")
    if folder.read(name) != _FIRST:
        return Finding(False, "it refused a second create-only put, and overwrote the object all the same")
    return Finding(True)


def _looks_first(fs: Any) -> bool:
    """Whether `pipe_file(mode="create")` is fsspec's own general one, which is two steps."""
    if isinstance(fs, DirFileSystem):
        return _looks_first(fs.fs)
    if isinstance(fs, LocalFileSystem | AsyncFileSystem):
        return False  # the former is written by `pipeline.local_disk`; the latter has no general one
    return type(fs).pipe_file is AbstractFileSystem.pipe_file
