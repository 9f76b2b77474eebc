"""Makes many pairs again; each source is read and decoded once, each sample cut once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from jobs.pairs.record import PairRecord
from jobs.pairs.regenerate import MadeFiles, OtherSourceError, check_source, decoded, made_of, target_of
from jobs.pairs.source_bytes import SourceBytes
from operators.errors import OperatorError
from pipeline.errors import RecordError

BAD = (RecordError, OperatorError, ValueError)
"""What one pair's source or record can cause; RecipeError and OtherSourceError are ValueErrors."""


@dataclass(frozen=True)
class Outcome:
    """What became of one pair.

    Attributes:
        record: of the pair.
        made: its files; None where it could not be made.
        problem: why not.
        other_source: whether that is because its source is another file now.
    """

    record: PairRecord
    made: MadeFiles | None
    problem: str = ""
    other_source: bool = False


def regenerate_all(records: Iterable[PairRecord], sources: SourceBytes) -> Iterator[Outcome]:
    """Make pairs again, those of one source together.

    Args:
        records: of the pairs.
        sources: gives bytes.

    Raises:
        StorageError: storage refused or did not answer.
    """
    for _, group in groupby(sorted(records, key=_order), key=_source):
        yield from _of_source(list(group), sources)


def _of_source(records: list[PairRecord], sources: SourceBytes) -> Iterator[Outcome]:
    try:
        data = sources.read(records[0].source)
    except RecordError as error:
        yield from _failed(records, error)
        return
    digest = hashlib.sha256(data).hexdigest()
    good = []
    for record in records:
        if (other := _checked(record, len(data), digest)) is None:
            good.append(record)
        else:
            yield other
    if good:
        yield from _of_file(good, data)


def _of_file(records: list[PairRecord], data: bytes) -> Iterator[Outcome]:
    try:
        raster = decoded(data)
    except BAD as error:
        yield from _failed(records, error)
        return
    for _, group in groupby(records, key=lambda record: record.sample):
        variants = list(group)
        try:
            sample = target_of(variants[0], raster)
        except BAD as error:
            yield from _failed(variants, error)
        else:
            yield from (_made(record, sample) for record in variants)


def _made(record: PairRecord, sample: NDArray[np.uint8]) -> Outcome:
    try:
        return Outcome(record, made_of(record, sample))
    except BAD as error:
        return Outcome(record, None, _said(error))


def _failed(records: Sequence[PairRecord], error: Exception) -> Iterator[Outcome]:
    yield from (Outcome(record, None, _said(error)) for record in records)


def _checked(record: PairRecord, size: int, digest: str) -> Outcome | None:
    """What is wrong with the source; None when it is the record's."""
    try:
        check_source(record, size, digest)
    except OtherSourceError as error:
        return Outcome(record, None, _said(error), other_source=True)
    return None


def _said(error: Exception) -> str:
    return error.message if isinstance(error, (RecordError, OperatorError)) else str(error)


def _source(record: PairRecord) -> tuple[str, int, int]:
    source = record.source
    return source["uri"], source["offset"], source["row"]


def _order(record: PairRecord) -> tuple[tuple[str, int, int], int, str]:
    return _source(record), record.sample.index, record.key
