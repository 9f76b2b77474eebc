"""Reading a run's ledger piece by piece: what is new since the last look, and nothing twice."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.watch.finished import first_rows
from jobs.watch.nodes import UNKNOWN, Hosts
from jobs.watch.pace import Pace
from jobs.watch.standing import Standing
from pipeline import layout
from pipeline.fetching import fetched
from pipeline.ledger import Commit, Quarantined
from pipeline.marks import is_over
from pipeline.plan import PlanReader, PlanSummary, UnitRef, read_refs
from pipeline.run import Run
from pipeline.tally import Tally

AT_ONCE = 2000
"""Commits, and attempt marks, that one refresh reads at most: a view of a long run fills up step by step."""

OPEN_MARKS = 1000
"""Marks of units under way that are looked at, at most."""


@dataclass
class RoundDone:
    """What is done of a round."""

    units: int = 0
    records: int = 0


@dataclass
class LedgerReader:
    """What is known of one run so far.

    Attributes:
        run: the run.
        rounds: the plan and each retry, in numbers.
        manifest: of a run that was finished when it was first looked at, and has no commits read; else None.
        complete: whether the run has a manifest; a commit of it may have been removed since.
        finished: what that says of its end, ISO 8601, UTC.
        tally: counts of the commits that were read; quarantine is in `standing`.
        done: by round, what is committed.
        again: tries beyond a unit's first.
        tries: of open units, marks that are there.
        open: newest mark of each unit that is begun and not committed, by unit.
        changed: when a commit or mark was last seen that was not there before, on the monotonic clock; None before.
    """

    run: Run
    rounds: list[PlanSummary] = field(default_factory=list)
    manifest: Mapping[str, Any] | None = None
    complete: bool = False
    finished: str = ""
    tally: Tally = field(default_factory=lambda: Tally(0, 0))
    done: dict[int, RoundDone] = field(default_factory=dict)
    again: int = 0
    standing: Standing = field(default_factory=Standing)
    pace: Pace = field(default_factory=Pace)
    hosts: Hosts = field(default_factory=Hosts)
    tries: Counter[str] = field(default_factory=Counter)
    open: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    changed: float | None = None
    _known: set[str] = field(default_factory=set)
    _waiting: deque[str] = field(default_factory=deque)
    _unplaced: deque[tuple[str, int, int, int, float]] = field(default_factory=deque)
    _marks: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _retried: dict[str, UnitRef] = field(default_factory=dict)
    _retries: int = 0
    _caught_up: bool = False
    _first_rows: list[Quarantined] | None = None

    @property
    def to_read(self) -> int:
        """Commits that were listed and are not read yet."""
        return len(self._waiting)

    @property
    def unplaced(self) -> int:
        """Units of which it is not known yet who did them."""
        return len(self._unplaced)

    def rows_of_finished(self) -> list[Quarantined]:
        """Of a run whose commits are not read, the first rows of its list of what is in quarantine."""
        if self._first_rows is None:
            self._first_rows = first_rows(self.run)
        return self._first_rows

    def refresh(self) -> None:
        """Look at what is new. Reads at most `AT_ONCE` commits; `to_read` says how many are left for the next call.

        Raises:
            StorageError: storage unreachable or refusing; what was read until then counts.
            LedgerError: what the run has written about itself is damaged.
        """
        if not self._waiting:
            self._look()
        self._read()
        self._place()
        self._caught_up = self._caught_up or not self._waiting

    def _look(self) -> None:
        """Rounds, manifest and the two listings."""
        manifest = self.run.manifest()
        self.complete = manifest is not None
        self.finished = str(manifest["finished"]) if manifest is not None else ""
        if manifest is not None and (self.manifest is not None or self._is_whole(manifest)):
            if self.manifest is None:
                self.rounds = self.run.rounds()
            self.manifest = manifest
            return
        self.manifest = None
        self._look_at_rounds()
        # Attempts first: a unit that ends between the two listings is then one with a commit.
        tries, newest = (Counter[str](), dict[str, str]()) if self.complete else self._attempts()
        listed = [unit for unit in self.run.ledger.committed() if unit not in self._known]
        self._known.update(listed)
        self._waiting.extend(sorted(listed, key=lambda unit: unit in self._retried))
        self._note_open(tries, newest)

    def _look_at_rounds(self) -> None:
        self.rounds = self.run.rounds()
        while self._retries < len(self.rounds) - 1:
            number = self._retries + 1
            plan = layout.plan_name(number, self.rounds[number].digest)
            self._retried.update((ref.unit_id, ref) for ref in read_refs(self.run.folder, number, plan))
            self._retries = number

    def _is_whole(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a run that was finished before anything was read of it can be shown by its manifest alone."""
        return not self._known and len(self.run.ledger.committed()) >= manifest["units"]

    def _attempts(self) -> tuple[Counter[str], dict[str, str]]:
        """Of units without a commit: how many marks there are, and the name of the newest."""
        tries: Counter[str] = Counter()
        newest: dict[str, str] = {}
        for name, _ in self.run.folder.walk(layout.ATTEMPTS):
            unit = layout.attempted(name)
            if unit in self._known or not name.endswith(".json") or name.split("/")[1] != unit:
                continue
            tries[unit] += 1
            newest[unit] = max(newest.get(unit, ""), name)
        return tries, newest

    def _note_open(self, tries: Counter[str], newest: dict[str, str]) -> None:
        names = {unit: name for unit, name in newest.items() if unit not in self._known}
        self.tries = Counter({unit: tries[unit] for unit in names})
        missing = [name for name in names.values() if name not in self._marks][:OPEN_MARKS]
        for name, mark in zip(missing, fetched(self._mark, missing), strict=True):
            self._marks[name] = mark
            if started := _started(mark):
                self.hosts.seen(str(mark.get("host", UNKNOWN)), started)
        if missing and self._caught_up:
            self.changed = time.monotonic()
        self.open = {unit: self._marks[name] for unit, name in names.items() if self._marks.get(name)}

    def _read(self) -> None:
        batch = [self._waiting[place] for place in range(min(AT_ONCE, len(self._waiting)))]
        for commit in fetched(self.run.ledger.find, batch):
            if commit is None:  # it was removed since it was listed
                self._known.discard(self._waiting[0])
            else:
                self._take(commit)
            self._waiting.popleft()  # only now: what storage fails at is read again
        if batch and self._caught_up:
            self.changed = time.monotonic()

    def _take(self, commit: Commit) -> None:
        if commit.round > self._retries:  # planned since this look began
            self._look_at_rounds()
        if commit.round:
            keys = PlanReader(self.run.folder).keys(self._retried[commit.unit_id])
            self.standing.take(keys, commit.round)
        self.tally.add_commit(commit, ())
        self.standing.add(commit)
        done = self.done.setdefault(commit.round, RoundDone())
        done.units += 1
        done.records += commit.records
        self.again += commit.attempt - 1
        place = self.pace.add(commit)
        finished = datetime.fromisoformat(commit.finished).timestamp()
        self._unplaced.append((commit.unit_id, commit.attempt, place, commit.records, finished))
        self.tries.pop(commit.unit_id, None)
        self.open.pop(commit.unit_id, None)

    def _place(self) -> None:
        """Find out which machines did the units that were read; the last ones first."""
        batch = [self._unplaced[-1 - place] for place in range(min(AT_ONCE, len(self._unplaced)))]
        names = [layout.attempt_mark(unit, attempt) for unit, attempt, *_ in batch]
        for (_, _, place, records, finished), name, mark in zip(batch, names, fetched(self._mark, names), strict=True):
            self._unplaced.pop()
            self._marks.pop(name, None)
            host = self.hosts.add(str(mark.get("host", UNKNOWN)), records, finished)
            self.pace.place_at(place, host)

    def _mark(self, name: str) -> Mapping[str, Any]:
        """A mark, read once; an empty one where it is gone or damaged, which costs no more than the host's name."""
        if name in self._marks:
            return self._marks[name]
        try:
            mark = json.loads(self.run.folder.read(name))
        except (FileNotFoundError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}


def is_gone(mark: Mapping[str, Any]) -> bool:
    """Whether the process of a mark has certainly ended; see `pipeline.marks.is_over`."""
    try:
        return is_over(mark)
    except (KeyError, ValueError, TypeError):
        return False


def _started(mark: Mapping[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(str(mark["started"])).timestamp()
    except (KeyError, ValueError):
        return None


def age_of(mark: Mapping[str, Any], now: float) -> float:
    """Seconds since a mark was made; 0 where that is not known."""
    started = _started(mark)
    return max(now - started, 0.0) if started is not None else 0.0
