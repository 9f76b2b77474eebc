"""What became of one record in every run of its collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.identity import digest
from jobs.nightly.chosen import read_chosen
from jobs.restore.identity import settings_of
from pipeline import layout
from pipeline.history import chain_of
from pipeline.ledger import Quarantined
from pipeline.parts import read_parts
from pipeline.quarantine import standing_commits
from pipeline.records import Output
from pipeline.run import Run


@dataclass(frozen=True)
class Event:
    """What one run did with a record.

    Attributes:
        run_id: the run.
        night: its number; 0 of a run over all of its source.
        when: it was planned, ISO 8601, UTC.
        cause: why the record was due; `run` in a run over all of its source.
        result: `made`, `quarantined`, `left` (not done), or what the planning noted (`deleted`, `tombstoned`,
            `returned`, `touched`).
        code: of the quarantine, with its message; empty for none.
        restorer: name of what the run improved faces with, and the first digits of its weights' hash.
        settings_sha256: as the records beside its images have it.
        version: of the source then; empty where it is not known.
        source_sha256: of the source; empty where it was not processed.
        output: name of the derivative; empty for none.
        output_sha256: of the derivative.
        faces_restored: how many faces it has changed.
    """

    run_id: str
    night: int
    when: str
    cause: str
    result: str
    code: str = ""
    restorer: str = ""
    settings_sha256: str = ""
    version: str = ""
    source_sha256: str = ""
    output: str = ""
    output_sha256: str = ""
    faces_restored: int = 0


def history_of(run: Run, key: str) -> Iterator[Event]:
    """Every event of a record, the oldest first.

    Args:
        run: the collection's last run.
        key: of the record.
    """
    for one in chain_of(run):
        event = _event(one, key)
        if event is not None:
            yield event


def _event(run: Run, key: str) -> Event | None:
    header = run.header
    chosen = _row(pa.concat_tables(list(read_chosen(run))), key) if header.night else None
    if header.night and chosen is None:
        return None
    cause = str(chosen["cause"]) if chosen else "run"
    identity = dict(header.identity)
    weights = str(identity["restorer"]["weights_sha256"] or "")[:12]
    known = Event(
        run_id=header.run_id,
        night=header.night,
        when=header.created,
        cause=cause,
        result=cause if cause in ("deleted", "tombstoned", "returned", "touched") else "left",
        restorer=" ".join(part for part in (str(identity["restorer"]["name"]), weights) if part),
        settings_sha256=digest(settings_of(identity)),
        version=str(chosen["version"] or "") if chosen else "",
    )
    if known.result != "left":
        return known
    image, stuck = _outcome(run, key)
    if image is not None:
        return replace(
            known,
            result="made",
            source_sha256=image["source_sha256"],
            output=image["output"],
            output_sha256=image["output_sha256"],
            faces_restored=image["faces_restored"],
        )
    if stuck is not None:
        return replace(known, result="quarantined", code=f"{stuck.code}: {stuck.message}")
    return known if header.night else None


def _outcome(run: Run, key: str) -> tuple[dict[str, Any] | None, Quarantined | None]:
    """A record's row of the table of images, or of the quarantine, in one run."""
    stuck: Quarantined | None = None
    parts: list[Output] = []
    for commit, rows in standing_commits(run):
        stuck = next((row for row in rows if row.key == key), stuck)
        parts.extend(part for part in commit.tables if layout.table_of(part.path) == "images")
    tables: Iterator[pa.Table] = iter(())
    if not run.complete:
        tables = read_parts(run.folder, parts)
    elif parts:
        tables = iter([pq.read_table(pa.BufferReader(run.folder.read(layout.table("images"))))])
    image = next((row for table in tables if (row := _row(table, key)) is not None), None)
    return image, stuck


def _row(table: pa.Table, key: str) -> dict[str, Any] | None:
    found = table.filter(pc.equal(table["key"], key)).to_pylist()
    return dict(found[-1]) if found else None
