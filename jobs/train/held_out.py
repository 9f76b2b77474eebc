"""Which pictures are never trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.train.small_files import read_small


def held_out(keys: Sequence[str], wanted: float | str, options: Mapping[str, Any]) -> list[bool]:
    """Which pictures are held out.

    Args:
        keys: names of the pictures.
        wanted: a share, by a hash of the names, which no other picture's coming or going changes; or the place of a
            text file with a name a line: a picture's path below the data's place, or the last part of it. Lines that
            are empty or begin with `#` say nothing.
        options: fsspec storage options for that file.

    Returns:
        For each picture, whether it is held out.

    Raises:
        CommandError: the list cannot be read, or names no picture.
        StorageError: storage refused or did not answer.
    """
    if not isinstance(wanted, str):
        return [_fraction(key) < wanted for key in keys]
    text = read_small(wanted, options, "data.held_out", "a text file with a picture's name a line")
    lines = (line.strip() for line in text.decode("utf-8-sig", "replace").splitlines())
    names = {line for line in lines if line and not line.startswith("#")}
    held = [key in names or PurePosixPath(key).name in names for key in keys]
    if names and not any(held):
        raise CommandError(
            f"data.held_out: {wanted}: none of its {len(names)} names is that of a picture, of which there are "
            f"{len(keys)} such as {keys[0]}; expected a name a line as below data.uri, with its ending",
            Exit.BAD_JOB,
        )
    return held


def _fraction(key: str) -> float:
    """A number from 0 to below 1 by which a name is held out or not."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
