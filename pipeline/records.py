"""The words of the pipeline as data: record, unit, failure, and what a stage sees of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One image of the source.

    Attributes:
        key: its name in the run, unique, relative and with forward slashes (`box1/plate-07.tif`); output names
            follow from it.
        uri: the object that holds its bytes, as fsspec takes it; for a tar or a Parquet file, the shard.
        version: etag, or size and modification time, of that object when it was planned.
        size: bytes of the record, or -1 where only reading would tell.
        offset: first byte inside the object, for members of a tar; -1 for a whole object.
        row: row inside the Parquet file, counted from its start; -1 when it is not one.
        metadata: what the catalogue says of it (other columns of a manifest, a tar's .json member), JSON values.
        problem: why it cannot be processed, known already at planning (`code: message`); empty otherwise.
    """

    key: str
    uri: str
    version: str
    size: int = -1
    offset: int = -1
    row: int = -1
    metadata: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """An ordered list of records from one shard: the smallest thing that is committed.

    Attributes:
        unit_id: hash of the records' places and versions.
        index: position in the plan, from 0.
        records: at least one.
    """

    unit_id: str
    index: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record went to quarantine.

    Attributes:
        code: stable lower_snake_case word.
        message: what was found, what was expected, what to do.
        stage: name of the stage that gave up.
    """

    code: str
    message: str
    stage: str


@dataclass(slots=True)
class Item:
    """One record on its way through the stages.

    Attributes:
        record: what was planned.
        payload: what the stages have made of it so far; its type belongs to the job kind.
        failure: set once; later stages skip the item.
    """

    record: Record
    payload: Any = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One output of a record, before a sink gives it a place.

    Attributes:
        name: path relative to the output root, which follows from the key alone.
        role: `image` or `record`.
        data: its bytes.
    """

    name: str
    role: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """One object that a commit names.

    Attributes:
        path: relative to the output root.
        size: bytes.
        sha256: of the bytes, hex.
        role: `image`, `record`, `shard`, `part`, `table` or `final`; see `pipeline.finals` for parts and finals.
        key: the record it belongs to; empty for shards, parts, tables and finals.
    """

    path: str
    size: int
    sha256: str
    role: str
    key: str = ""
