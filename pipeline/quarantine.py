"""The records that are in quarantine now, over all rounds of a run; memory grows by 8 bytes a retried record."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from dataclasses import replace

from pipeline.keyset import KeySet
from pipeline.ledger import PLANNED, Commit, Quarantined
from pipeline.plan import PlanReader, UnitRef
from pipeline.records import Record
from pipeline.run import Run

CURABLE = frozenset({"dangling_link"})
"""Codes of what the plan found wrong with a record alone, by looking at what can be another way now."""


def standing_commits(
    run: Run, committed: Collection[str] | None = None
) -> Iterator[tuple[Commit, tuple[Quarantined, ...]]]:
    """Every commit in plan order, and those of its quarantine rows that no later round has decided anew.

    Args:
        run: the run.
        committed: ids of the units to look at, for a view that may be partial. Without it the commit of every planned
            unit is looked for by its name, so that what is concluded does not hang on a listing.
    """
    refs = [ref for ref in run.refs() if committed is None or ref.unit_id in committed]
    retries = {commit.unit_id for commit in run.ledger.commits(ref.unit_id for ref in refs if ref.round > 0)}
    # A unit of a retry that is committed from now on is left out: its records are still in quarantine here.
    refs = [ref for ref in refs if ref.round == 0 or ref.unit_id in retries]
    retried = _retried(run, refs)
    for commit in run.ledger.commits(ref.unit_id for ref in refs):
        later = retried[commit.round :]
        yield commit, tuple(row for row in commit.quarantined if not _decided_anew(row, later))


def standing(run: Run) -> Iterator[Quarantined]:
    """The rows of what is in quarantine now, in plan order."""
    for _, rows in standing_commits(run):
        yield from rows


def retriable(row: Quarantined) -> bool:
    """Whether processing a record again can help; most of what the plan itself found wrong stays wrong."""
    return row.stage != PLANNED or row.code in CURABLE


def records_of(run: Run, keys: Container[str]) -> Iterator[Record]:
    """The planned records with these keys, in plan order; those that the plan found wrong for good are left out.

    What it found wrong but can have been mended since comes without its problem.
    """
    reader = PlanReader(run.folder)
    for ref in run.refs():
        if ref.round == 0:
            records = (_mended(record) for record in reader.some(ref, keys))
            yield from (record for record in records if not record.problem)


def _mended(record: Record) -> Record:
    return replace(record, problem="") if record.problem.partition(":")[0] in CURABLE else record


def _retried(run: Run, refs: list[UnitRef]) -> list[KeySet]:
    """For each retry, the first one first, the keys that its committed units took up."""
    reader = PlanReader(run.folder)
    last = max((ref.round for ref in refs), default=0)
    return [
        KeySet(key for ref in refs if ref.round == round_ for key in reader.keys(ref)) for round_ in range(1, last + 1)
    ]


def _decided_anew(row: Quarantined, later: list[KeySet]) -> bool:
    # Two records may share a key, the second being refused by the plan for it; a retry is only ever of the first.
    return retriable(row) and any(row.key in keys for keys in later)
