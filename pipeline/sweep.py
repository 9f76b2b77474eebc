"""Taking away what attempts that were cut off have left: shards and tables no commit names, files half written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from pipeline import layout
from pipeline.errors import RunConflictError
from pipeline.fetching import fetched
from pipeline.finals import FINAL, PART, finals_of
from pipeline.keyset import KeySet
from pipeline.ledger import Commit
from pipeline.marks import alive
from pipeline.quarantine import standing
from pipeline.records import Output
from pipeline.run import Run
from pipeline.storage import PART as HALF_WRITTEN
from pipeline.storage import this_host
from pipeline.walk import walk_files

_ATTEMPT = re.compile(r"-a\d+(?=\.[a-z]+$)")
_PART = re.compile(re.escape(HALF_WRITTEN) + r"(?P<host>.+)-(?P<pid>\d+)-[^-]+$")


def attempts_of(run: Run) -> Counter[str]:
    """How many attempts each unit has seen, by its id."""
    return Counter(name.split("/")[1] for name, _ in run.folder.walk(layout.ATTEMPTS))


def drop_losers(run: Run, commit: Commit, attempts: int) -> None:
    """Delete what other attempts at a committed unit may have written under names of their own.

    None of them can be committed any more, so this is safe while one still runs. Outputs whose names follow from the
    key or the unit have no attempt in them; those are the same for all attempts. What a listing of attempts misses is
    left to `gc`.
    """
    shards = [output.path for output in run.ledger.outputs(commit) if layout.owner_of(output.path)]
    for number in set(range(1, attempts + 1)) - {commit.attempt}:
        for folder, paths in ((run.outputs, shards), (run.folder, [part.path for part in commit.tables])):
            for path in paths:
                folder.delete(_ATTEMPT.sub(f"-a{number}", path))


def drop_replaced(run: Run, replaced: Run, finals: Iterable[Output] = (), *, whole: bool = False) -> int:
    """Delete outputs of the run that this one has taken the place of, so far as this one has not written them anew.

    What the former run made of a record that is in quarantine now stays: there is no other derivative of it. A shard
    does not say whose derivatives it holds, so shards go only where nothing is in quarantine. What the former run wrote
    as a whole, or only to make it, goes in any case.

    Args:
        run: the run.
        replaced: the former one.
        finals: what this run has written as a whole.
        whole: the outputs make one whole, in which nothing of another run may stay, whatever is in quarantine.

    Returns:
        how many were deleted.
    """
    kept = KeySet(output.path for output in chain(_outputs(run), finals))
    stuck = KeySet(row.key for row in standing(run))
    none_stuck = next(standing(run), None) is None
    count = 0
    for output in chain(_outputs(replaced), finals_of(replaced) or ()):
        needed = output.key in stuck if output.key else not none_stuck
        if output.path not in kept and (whole or output.role in (PART, FINAL) or not needed):
            replaced.outputs.delete(output.path)
            count += 1
    return count


def _outputs(run: Run) -> Iterator[Output]:
    """All outputs that a run's commits name."""
    return run.ledger.all_outputs(ref.unit_id for ref in run.refs())


def drop_intermediates(run: Run) -> int:
    """Delete outputs of role `part`, when the manifest names what was made of them; harmless when they are gone.

    Returns:
        how many there were.

    Raises:
        RunConflictError: the run has no manifest, or a retry was planned since: they are needed still.
    """
    if not run.complete:
        raise RunConflictError(f"{run.folder.uri}: is not complete, so what its units have made is needed still")
    parts = (output.path for output in _outputs(run) if output.role == PART)
    return sum(1 for _ in fetched(run.outputs.delete, parts))


def drop_parts(run: Run) -> None:
    """Delete files that processes of this machine were writing when they were killed; only local disks have them."""
    fs = run.outputs.fs
    if not isinstance(fs, LocalFileSystem):
        return
    for name, _ in walk_files(fs, run.outputs.root):
        if is_part(name) and left_by_the_dead(name):
            with suppress(FileNotFoundError):
                Path(run.outputs.root, name).unlink()


def is_part(name: str) -> bool:
    """Whether a name is that of a file that a process was writing, see `pipeline.storage`."""
    return _PART.search(name.rsplit("/", 1)[-1]) is not None


def left_by_the_dead(name: str) -> bool:
    """Whether the process that was writing such a file ran on this machine and is gone."""
    found = _PART.search(name.rsplit("/", 1)[-1])
    return found is not None and found["host"] == this_host() and not alive(int(found["pid"]))
