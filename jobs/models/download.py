"""Brings a remote file to the disk, in pieces, and goes on where it was broken off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from jobs.models.patience import patient
from jobs.models.remote import BLOCK, Remote, State
from operators.models import ModelFileError

RESTARTS = 3
SPARE_BYTES = 64 << 20

Show = Callable[[int, int | None], None]
"""Told how many bytes are there, and of how many, None where that is not known."""


class _ChangedError(Exception):
    """The remote file is no longer the one that was begun with."""


def download(remote: Remote, target: Path, show: Show) -> None:
    """Fetch a file, or the rest of one.

    Beside the target a small file holds what the remote one was when it was begun (size, entity tag, time of change).
    If it still is, what is there is kept and the rest is asked for; else it is fetched from the beginning. A server
    that answers requests for a part with the whole is read from the beginning in one go.

    Args:
        remote: what to fetch.
        target: where to put it; what is there is taken for the beginning.
        show: told of the progress.

    Raises:
        FileNotFoundError: there is no such remote file.
        ModelFileError: the disk is too small, or the remote file changes again and again.
        OSError: storage does not answer or refuses, or another exception of its client.
    """
    for _ in range(RESTARTS):
        state = remote.state()
        have = _kept(target, state)
        _check_space(target, state, have)
        try:
            if state.size is None:
                _whole(remote, target, show)
            else:
                _rest(remote, target, state, have, show)
            if state.marks and remote.state() != state:
                raise _ChangedError
        except _ChangedError:
            target.unlink(missing_ok=True)
            continue
        if state.size is not None and target.stat().st_size != state.size:
            raise ModelFileError(f"{target.stat().st_size} bytes came, {state.size} were announced; try again")
        return
    raise ModelFileError(f"the file changed {RESTARTS} times while it was fetched; try again when it is at rest")


def forget(target: Path) -> None:
    """Remove what was fetched of a file, and what is noted about it."""
    target.unlink(missing_ok=True)
    _note(target).unlink(missing_ok=True)


def _note(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _kept(target: Path, state: State) -> int:
    """How many bytes are there and can stay."""
    noted = {"size": state.size, "marks": dict(state.marks)}
    try:
        same = json.loads(_note(target).read_bytes()) == noted
    except (OSError, ValueError):
        same = False
    size = target.stat().st_size if target.exists() else 0
    if state.resumable and same and state.size is not None and size <= state.size:
        return size
    target.unlink(missing_ok=True)
    _note(target).write_text(json.dumps(noted), encoding="utf-8")
    return 0


def _rest(remote: Remote, target: Path, state: State, have: int, show: Show) -> None:
    """Piece after piece, each in a request of its own."""
    assert state.size is not None
    show(have, state.size)
    with target.open("ab") as file:
        while have < state.size:
            end = min(have + BLOCK, state.size)
            try:
                data = remote.piece(have, end, state)
            except ValueError as error:
                if remote.state() != state:
                    raise _ChangedError from error
                break  # ranges are not honoured
            file.write(data)
            have = end
            show(have, state.size)
    if have < state.size:
        _whole(remote, target, show, state.size)


@patient
def _whole(remote: Remote, target: Path, show: Show, size: int | None = None) -> None:
    """From the beginning to the end in one request; a cut means the beginning again."""
    have = 0
    with target.open("wb") as file, remote.stream() as reader:
        while data := reader.read(BLOCK):
            file.write(data)
            have += len(data)
            show(have, size)
    if size is not None and have != size:
        raise ConnectionError(f"{have} bytes came of {size}")


def _check_space(target: Path, state: State, have: int) -> None:
    free = shutil.disk_usage(target.parent).free
    needed = (state.size or 0) - have
    if needed + SPARE_BYTES > free:
        raise ModelFileError(
            f"{target.parent}: {needed} bytes are to come, {free} are free there; make room, or name another cache"
        )
