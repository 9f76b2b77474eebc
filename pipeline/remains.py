"""What a run's ledger says of the objects that its units have written, as far as garbage collection needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from pipeline import layout
from pipeline.fetching import fetched
from pipeline.finals import finals_of
from pipeline.keyset import KeySet
from pipeline.layout import Owner
from pipeline.ledger import Commit
from pipeline.marks import is_over
from pipeline.parts import read_part
from pipeline.plan import PlanReader, UnitRef
from pipeline.run import Run


class Remains:
    """A run's commits, each looked for by its name, so that a listing that misses one makes nothing garbage.

    Memory grows by 8 bytes an output, and by the keys of what is in quarantine.

    Args:
        run: the run.
        replaced: whether another run has taken its place or follows it, or it was closed, so that units of it without
            a commit stay so.
    """

    def __init__(self, run: Run, *, replaced: bool) -> None:
        self.run = run
        self.replaced = replaced
        self.complete = run.complete
        self.planned = (run.header.run_id, len(run.rounds()))
        self.units: set[tuple[int, str]] = set()
        self.open: dict[str, UnitRef] = {}
        self.parts: set[str] = set()
        self._quarantined: list[str] = []
        self.outputs = KeySet(self._read())

    def _read(self) -> Iterator[str]:
        """Paths of all outputs that commits and the manifest name; the rest is noted on the way."""
        yield from (output.path for output in finals_of(self.run) or ())
        for ref, commit, paths in fetched(self._look, self.run.refs()):
            self.units.add((ref.index, _short(ref.unit_id)))
            if commit is None:
                self.open[_short(ref.unit_id)] = ref
                continue
            self.parts.update(part.path for part in commit.tables)
            self._quarantined.extend(row.key for row in commit.quarantined)
            yield from paths

    def _look(self, ref: UnitRef) -> tuple[UnitRef, Commit | None, list[str]]:
        commit = self.run.ledger.find(ref.unit_id)
        if commit is None:
            return ref, None, []
        return ref, commit, read_part(self.run.folder, commit.listing)["path"].to_pylist()

    def is_open(self, unit_id: str) -> bool:
        """Whether a unit has no commit."""
        ref = self.open.get(_short(unit_id))
        return ref is not None and ref.unit_id == unit_id

    def undecided(self, owner: Owner) -> UnitRef | None:
        """The unit without a commit that an object belongs to, if it is one of this run's."""
        ref = self.open.get(owner.unit)
        return ref if ref is not None and ref.index == owner.index else None

    def may_commit(self, ref: UnitRef, owner: Owner) -> bool:
        """Whether the attempt that wrote an object may still be committed.

        Its mark is read by its name: it was put before anything else that the attempt wrote.
        """
        try:
            mark = json.loads(self.run.folder.read(layout.attempt_mark(ref.unit_id, owner.attempt)))
        except FileNotFoundError:
            return True  # somebody took the mark away, so nothing is known of the attempt
        return not is_over(mark)

    def lost(self, names: Callable[[str], tuple[str, ...]]) -> KeySet:
        """Names of mirrored outputs that attempts may have left and no commit of this run can come to name.

        They are those of records that ended in quarantine; and of a run that was replaced, those of units that were
        never committed.
        """
        return KeySet(name for key in self._lost_keys() for name in names(key))

    def _lost_keys(self) -> Iterator[str]:
        yield from self._quarantined
        if self.replaced:
            reader = PlanReader(self.run.folder)
            for ref in self.open.values():
                yield from reader.keys(ref)


def _short(unit_id: str) -> str:
    """As names of shards and table parts have it."""
    return unit_id[:8]
