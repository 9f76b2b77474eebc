"""The records that are in quarantine now, over all rounds of a run."""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, fields

from pipeline.ledger import Quarantined
from pipeline.plan import PlanReader
from pipeline.records import Record
from pipeline.run import Run


def standing(run: Run) -> dict[str, Quarantined]:
    """Key to quarantine row, in plan order; a record that a retry brought through is not among them."""
    rows: dict[str, Quarantined] = {}
    reader = PlanReader(run.folder)
    refs = {ref.unit_id: ref for ref in run.refs()}
    for commit in run.ledger.commits(refs):
        if commit.round > 0:
            for record in reader.unit(refs[commit.unit_id]).records:
                rows.pop(record.key, None)
        rows.update((row.key, row) for row in commit.quarantined)
    return rows


def records_of(run: Run, keys: set[str]) -> list[Record]:
    """The planned records with these keys, in plan order."""
    reader = PlanReader(run.folder)
    found: list[Record] = []
    for ref in run.refs():
        if ref.round == 0:
            found.extend(record for record in reader.unit(ref).records if record.key in keys)
    return found


def to_csv(rows: dict[str, Quarantined]) -> bytes:
    """As CSV with a header line (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(field.name for field in fields(Quarantined))
    writer.writerows(astuple(row) for row in rows.values())
    return text.getvalue().encode()
