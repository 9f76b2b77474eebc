"""Whether sources whose version is another have other bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.nightly.database import Database
from jobs.nightly.due import settle_contents
from pipeline.errors import RecordError, SourceError
from pipeline.fetching import fetched
from pipeline.plan import RECORD_SCHEMA, record_of
from pipeline.records import Record
from pipeline.sources import SourceSpec, make_reader


@dataclass(frozen=True)
class _Looked:
    key: str
    same: bool


def look_inside(db: Database, source: SourceSpec, most: int | None) -> None:
    """Read what looks changed, in the order of the listing, and decide what is.

    Args:
        db: with the table `candidates`.
        source: of the job.
        most: no more is read once so many are found changed; None for no bound. What was not read is carried over.

    Raises:
        StorageError: storage does not answer.
    """
    reader = make_reader(source)

    def look(pair: tuple[Record, str]) -> _Looked:
        record, known = pair
        try:
            return _Looked(record.key, hashlib.sha256(reader.read(record)).hexdigest() == known)
        except (RecordError, SourceError):
            return _Looked(record.key, same=False)  # a worker finds out what is wrong with it, and says so

    looked: list[str] = []
    same: list[str] = []
    changed = 0
    for one in fetched(look, _suspects(db)):
        looked.append(one.key)
        if one.same:
            same.append(one.key)
        else:
            changed += 1
        if most is not None and changed >= most:
            break
    settle_contents(db, looked, same)


def look_again(db: Database, source: SourceSpec) -> None:
    """Look for sources that could not be read and have no version that would tell that they can be by now.

    Args:
        db: with the table `candidates`.
        source: of the job.
    """
    reader = make_reader(source)

    def there(record: Record) -> str:
        try:
            reader.read(record)
        except (RecordError, SourceError):
            return ""
        return record.key

    columns = ", ".join(f"listed.{name}" for name in RECORD_SCHEMA.names)
    query = f"""
        select {columns} from candidates
        join listed on listed.key = candidates.key and listed.position = candidates.position
        where candidates.cause = 'given_up' and candidates.version = '' and candidates.code = 'missing'
    """  # noqa: S608
    found = [[key] for key in fetched(there, map(record_of, db.rows(query))) if key]
    if found:
        db.sql.executemany("update candidates set cause = 'failed' where key = ?", found)


def _suspects(db: Database) -> Iterator[tuple[Record, str]]:
    columns = ", ".join(f"listed.{name}" for name in RECORD_SCHEMA.names)
    query = f"""
        select {columns}, candidates.sha256 as known from candidates
        join listed on listed.key = candidates.key and listed.position = candidates.position
        where candidates.cause = 'looks_changed' order by listed.position
    """  # noqa: S608
    for row in db.rows(query):
        known = str(row.pop("known"))
        yield record_of(row), known
