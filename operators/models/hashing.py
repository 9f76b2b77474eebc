"""Content hashes of files that do not fit into memory."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def copy_hashed(source: Path, target: Path) -> str:
    """Copy a file and hash what was written in the same pass; SHA-256, lower-case hex."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("xb") as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)
    return digest.hexdigest()


def hashed_once(path: Path) -> str:
    """SHA-256 of a file, computed once a process for as long as its size and time of change stay the same."""
    state = path.stat()
    return _hashed(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(path: Path, _size: int, _changed: int) -> str:
    return sha256_of(path)
