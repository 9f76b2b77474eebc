"""Garbage: what attempts have left that no commit names, found and taken away without ever touching anything else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fsspec.implementations.local import LocalFileSystem

from pipeline import layout, marks
from pipeline.errors import NoSuchRunError, RunAliveError
from pipeline.fetching import fetched
from pipeline.history import back_from, runs_of
from pipeline.marks import ALIVE_SECONDS, is_over, new_mark, said
from pipeline.remains import Remains
from pipeline.run import Run, current_run, open_run, refuse_while_collecting
from pipeline.storage import Folder
from pipeline.sweep import is_part, left_by_the_dead
from pipeline.walk import Info

KINDS = ("shards", "table_parts", "outputs", "parts", "half_written", "progress")
"""What can be garbage: shards and table parts of attempts that lost, mirrored outputs of records that ended in
quarantine, what units wrote only to make finals that are made, files that a killed process was writing, and what
stages kept on their way of units that are committed or never will be."""

UNDECIDED_SECONDS = 3600.0
"""Of a unit without a commit nothing younger is taken away, even if its process is gone: its commit may have been sent
and not have arrived yet."""


class Claim(Protocol):
    """What a job kind knows of the outputs that it mirrors."""

    def names(self, key: str) -> tuple[str, ...]:
        """Where the outputs of a record lie; empty for a key that has none."""

    def own(self, folder: Folder, name: str) -> bool:
        """Whether what lies there was certainly written by this run, and not by a person or another job."""


@dataclass
class Pile:
    """Garbage of one kind."""

    objects: int = 0
    bytes: int = 0


@dataclass
class Garbage:
    """What was found.

    Attributes:
        piles: by kind, what was removed, or would be.
        young: objects left for their age.
        in_use: objects left because the attempt that wrote them may still be committed.
        open_units: units that are still to be committed; mirrored outputs are looked at only when there are none.
    """

    piles: dict[str, Pile] = field(default_factory=lambda: {kind: Pile() for kind in KINDS})
    young: int = 0
    in_use: int = 0
    open_units: int = 0


@dataclass(frozen=True)
class _Found:
    """An object that can go: its path is relative to the output root."""

    path: str
    kind: str
    size: int


def collect_garbage(
    run: Run, claim_of: Callable[[Run], Claim], older_than: float, *, force: bool = False, dry_run: bool = False
) -> Garbage:
    """Find what no commit names, and remove it.

    Only names that facejobs gives are looked at, and of those only what a unit of this run, or of another run with the
    same output folder, can have written. What a commit of any of them names is never touched. Of a unit without a
    commit nothing is touched whose attempt may still be committed. Mirrored outputs carry no attempt in their name, so
    they are looked at only when every unit of the run is committed, and only where the claim is certain. What served to
    make finals goes when every run of the folder has its manifest or was replaced.

    Args:
        run: whose output folder is looked through.
        claim_of: what the job kind knows of a run's mirrored outputs.
        older_than: seconds for which an object must not have been modified.
        force: nobody works on the run, though it looks as if.
        dry_run: find and count only.

    Raises:
        RunAliveError: somebody may be working on the run.
        StorageError: storage unreachable or refusing.
        LedgerError: what a run has written about itself is damaged.
    """
    search = _Search(run, claim_of, older_than, force=force)
    garbage = search.garbage
    _remove(run.output, search.by_attempt(), garbage, dry_run)
    if search.settled and not dry_run:
        with _alone(run.output):
            search.still_settled()
            _remove(run.output, search.settled, garbage, dry_run)
    else:
        _remove(run.output, search.settled, garbage, dry_run)
    return garbage


class _Search:
    """Goes once through everything below the run's output folder and the ledgers."""

    def __init__(self, run: Run, claim_of: Callable[[Run], Claim], older_than: float, *, force: bool) -> None:
        self._run = run
        self._began = marks.clock()
        self._older_than = older_than
        self._force = force
        self._remains = _of_this_folder(run)
        if not force:
            for one in self._remains:
                _refuse_if_alive(one)
        self._by_id = {one.run.header.run_id: one for one in self._remains}
        self._local = isinstance(run.output.fs, LocalFileSystem)
        self._lost = [(claim := claim_of(one.run), one.lost(claim.names)) for one in self._remains]
        # A unit without a commit may be given the same names again at any time.
        self._settled = not any(one.open for one in self._remains if not one.replaced)
        self.garbage = Garbage(open_units=sum(len(one.open) for one in self._remains if not one.replaced))
        self.settled: list[_Found] = []

    def by_attempt(self) -> Iterator[_Found]:
        """Garbage with an attempt or a process in its name.

        What is garbage only because no unit is left to be committed is kept in `settled` for later.
        """
        for path, info in _objects(self._run):
            kind = self._kind(path, info)
            if not kind:
                continue
            found = _Found(path, kind, int(info.get("size") or 0))
            if kind in {"outputs", "parts"}:
                self.settled.append(found)
            else:
                yield found

    def still_settled(self) -> None:
        """Raise RunAliveError when a run or a retry was planned in this folder since it was looked through."""
        if [one.planned for one in self._remains] != [
            (one.header.run_id, len(one.rounds())) for one in _runs(self._run)
        ]:
            raise RunAliveError(
                f"{self._run.output.uri}: a run or a retry was planned there meanwhile; let it end first"
            )

    def _kind(self, path: str, info: Info) -> str:
        """What kind of garbage an object is; empty for what must stay."""
        if self._local and is_part(path):
            grace = 0.0 if left_by_the_dead(path) else max(self._older_than, ALIVE_SECONDS)
            return "half_written" if self._old(info, grace) else ""
        name = self._below_outputs(path)
        if name.startswith(f"{layout.PARTS}/"):
            served = all(one.complete or one.replaced for one in self._remains)
            return "parts" if served and self._old(info, self._older_than) else ""
        if path.startswith(f"{layout.HOME}/"):
            return self._ledger_object(path, info)
        if any(name in one.outputs for one in self._remains):
            return ""
        if layout.owner_of(name):
            return "shards" if self._lost_attempt(name, self._remains, info) else ""
        return "outputs" if self._settled and self._left(name, info) else ""

    def _below_outputs(self, path: str) -> str:
        """The path relative to the run's output folder; empty where it does not lie there."""
        if not self._run.header.prefix:
            return path
        start = f"{self._run.header.prefix}/"
        return path.removeprefix(start) if path.startswith(start) else ""

    def _ledger_object(self, path: str, info: Info) -> str:
        run_id, _, name = path.removeprefix(f"{layout.RUNS}/").partition("/")
        one = self._by_id.get(run_id)
        if one is not None and name.startswith(f"{layout.PROGRESS}/"):
            needed = one.is_open(name.split("/")[1]) and not one.replaced
            return "progress" if not needed and self._old(info, self._older_than) else ""
        if one is None or name in one.parts or not layout.owner_of(name):
            return ""
        return "table_parts" if self._lost_attempt(name, [one], info) else ""

    def _lost_attempt(self, name: str, remains: Iterable[Remains], info: Info) -> bool:
        """Whether a unit of these runs can have written the object, and none of its attempts can still be committed."""
        owner = layout.owner_of(name)
        assert owner is not None
        concerned = [one for one in remains if (owner.index, owner.unit) in one.units]
        if not concerned or not self._old(info, self._older_than):
            return False
        open_units = [(one, ref) for one in concerned if (ref := one.undecided(owner))]
        if not open_units or self._force:
            return True
        if not _aged(info, self._began - UNDECIDED_SECONDS) or any(
            one.may_commit(ref, owner) for one, ref in open_units
        ):
            self.garbage.in_use += 1
            return False
        return True

    def _left(self, name: str, info: Info) -> bool:
        """Whether a mirrored output is one that an attempt left of a record that ended in quarantine."""
        claims = [claim for claim, lost in self._lost if name in lost]
        return (
            bool(claims) and self._old(info, self._older_than) and any(c.own(self._run.outputs, name) for c in claims)
        )

    def _old(self, info: Info, grace: float) -> bool:
        old = grace <= 0 or _aged(info, self._began - grace)
        self.garbage.young += not old
        return old


def modified(info: Info) -> float | None:
    """When an object was last written, in seconds since 1970, as its listing tells; None where it does not."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        moment = info.get(name)
        if isinstance(moment, datetime):
            return moment.timestamp()
        if isinstance(moment, int | float):
            return float(moment)
    return None


def _aged(info: Info, limit: float) -> bool:
    changed = modified(info)
    return changed is not None and changed <= limit


def _runs(run: Run) -> list[Run]:
    """Every run whose outputs lie in the same folder, the oldest first: they share names.

    A run follows from the one that took its place or came after it, so that none is forgotten because a listing misses
    it.
    """
    known = {one.header.run_id: one for one in (*runs_of(run.output), run, current_run(run.output)) if one}
    waiting = [run_id for one in known.values() for run_id in _before(one)]
    while waiting:
        run_id = waiting.pop()
        if run_id and run_id not in known:
            with suppress(NoSuchRunError):  # somebody has removed it
                known[run_id] = open_run(run.output, run_id)
                waiting.extend(_before(known[run_id]))
    same = [one for one in known.values() if one.header.prefix == run.header.prefix]
    return sorted(same, key=lambda one: (one.header.created, one.header.run_id))


def _of_this_folder(run: Run) -> list[Remains]:
    runs = _runs(run)
    over = {run_id for one in runs for run_id in _before(one)}
    over |= _never_begun(run.output, runs)
    return [Remains(one, replaced=one.header.run_id in over or one.closed) for one in runs]


def _never_begun(output: Folder, runs: list[Run]) -> set[str]:
    """Nights that were planned and are no part of the collection's chain: another was planned in their place."""
    nights = [one for one in runs if one.header.night]
    current = current_run(output)
    head = next((one for one in nights if current and one.header.run_id == current.header.run_id), None)
    if head is None:
        return set()
    chain = {one.header.run_id for one in back_from(head)}
    return {one.header.run_id for one in nights} - chain


def _before(run: Run) -> tuple[str, str]:
    """The runs of which nothing is done any more since this one is there; empty for none."""
    return run.header.replaces, run.header.follows


def _refuse_if_alive(remains: Remains) -> None:
    """Look for an attempt that may still be going on: young, without a commit, its process not known to be gone."""
    if not remains.open:
        return
    folder = remains.run.folder
    for name, info in folder.walk(layout.ATTEMPTS):
        if not remains.is_open(layout.attempted(name)) or _aged(info, marks.clock() - ALIVE_SECONDS):
            continue
        mark = json.loads(folder.read(name))
        if not is_over(mark):
            raise RunAliveError(
                f"{folder.uri}/{name}: this unit was taken by {said(mark)} and is not committed, so somebody may be "
                "working on the run; let it end, or finish it with `facejobs run`; or say --force if you know that "
                "nobody is"
            )


def _objects(run: Run) -> Iterator[tuple[str, Info]]:
    """Everything in the run's output folder and in the ledgers, by path relative to the output root."""
    if not run.header.prefix:
        yield from ((name, info) for name, info in run.output.walk() if not name.startswith(f"{layout.VERSIONS}/"))
        return
    yield from run.output.walk(layout.HOME)
    yield from run.output.walk(run.header.prefix)


@contextmanager
def _alone(output: Folder) -> Iterator[None]:
    """Keep runs from beginning meanwhile, see `refuse_while_collecting`; a mark whose process is gone is taken over."""
    mark = json.dumps(new_mark(uuid.uuid4().hex)).encode()
    if not output.create(layout.COLLECTING, mark) and output.read(layout.COLLECTING) != mark:
        refuse_while_collecting(output)
        output.write(layout.COLLECTING, mark)
    try:
        yield
    finally:
        output.delete(layout.COLLECTING)


def _remove(output: Folder, found: Iterable[_Found], garbage: Garbage, dry_run: bool) -> None:
    def remove(one: _Found) -> _Found:
        if not dry_run:
            output.delete(one.path)
        return one

    for one in fetched(remove, found):
        pile = garbage.piles[one.kind]
        pile.objects += 1
        pile.bytes += one.size
