"""Cuts the records of a source into units, and gives each an id that follows from what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from pipeline.records import Record, Unit


def cut_units(records: Iterable[Record], unit_records: int, unit_bytes: int, salt: str = "") -> Iterator[Unit]:
    """Group records, in order, into units of one shard with at most so many records and bytes.

    A single record larger than `unit_bytes` is a unit of its own. `salt` makes the ids of a retry differ from the
    first round's.
    """
    held: list[Record] = []
    size = 0
    index = 0
    for record in records:
        full = len(held) >= unit_records or size + max(record.size, 0) > unit_bytes
        if held and (full or _shard(record) != _shard(held[0])):
            yield Unit(unit_id(held, salt), index, tuple(held))
            held, size, index = [], 0, index + 1
        held.append(record)
        size += max(record.size, 0)
    if held:
        yield Unit(unit_id(held, salt), index, tuple(held))


def digest_of(units: Iterable[Unit]) -> str:
    """What `PlanSummary.digest` would be of a plan with these units."""
    digest = hashlib.sha256()
    for unit in units:
        digest.update(unit.unit_id.encode())
    return digest.hexdigest()


def unit_id(records: Iterable[Record], salt: str = "") -> str:
    """Twenty hex digits of SHA-256 over all that is known of the records: two plans with equal ids are the same."""
    digest = hashlib.sha256(salt.encode())
    for record in records:
        place = (record.key, record.uri, record.version, record.size, record.offset, record.row)
        digest.update(json.dumps([*place, dict(record.metadata), record.problem], sort_keys=True).encode())
    return digest.hexdigest()[:20]


def _shard(record: Record) -> str:
    """The container a record lies in; loose files share one."""
    return record.uri if record.offset >= 0 or record.row >= 0 else ""
