"""A pair inside a container: the names of its files there, and in which order they come."""

from __future__ import annotations

import hashlib

from jobs.pairs.formats.contract import PairFiles
from pipeline.records import Artifact, Record, Unit

LQ, GT, MASK, RECORD = "lq.png", "gt.png", "mask.png", "json"
"""What stands behind a pair's name and a dot; WebDataset takes it for the field's name."""


def members(pair: PairFiles, *, masks: bool) -> list[Artifact]:
    """A pair's files as WebDataset names them: `0000012-000.lq.png`.

    Args:
        pair: with both sides.
        masks: whether its mask is one of them.

    Raises:
        ValueError: a side is missing.
    """
    if pair.degraded is None or pair.target is None:
        raise ValueError(f"pair {pair.name}: only side {pair.side} is there, and this format keeps both together")
    made = [
        Artifact(f"{pair.name}.{LQ}", "image", pair.degraded),
        Artifact(f"{pair.name}.{GT}", "image", pair.target),
    ]
    if masks and pair.mask is not None:
        made.append(Artifact(f"{pair.name}.{MASK}", "image", pair.mask))
    return [*made, Artifact(f"{pair.name}.{RECORD}", "record", pair.record)]


def pair_of(member: str) -> str:
    """The pair that a member belongs to."""
    return member.partition(".")[0]


def field_of(member: str) -> str:
    """Which of its files it is."""
    return member.partition(".")[2]


def by_hash(member: str) -> str:
    """A key that spreads the variants of one sample: SHA-256 of the pair's name."""
    return hashlib.sha256(pair_of(member).encode()).hexdigest()


def shard_of(unit: Unit) -> str:
    """The shard that a unit's records were planned for.

    Raises:
        ValueError: it has records of several.
    """
    shards = {_shard(record) for record in unit.records}
    if len(shards) != 1:
        raise ValueError(f"unit {unit.unit_id} has records of several shards: {', '.join(sorted(shards)[:3])}")
    return shards.pop()


def _shard(record: Record) -> str:
    return str(record.metadata["shard"])
