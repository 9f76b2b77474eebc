"""What a catalogue says of each face: attributes by the picture's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.restore.attributes import attributes_of
from jobs.spec.training.data import Attributes
from jobs.train.small_files import read_small
from operators.errors import OperatorError
from operators.models.attributes import NAME

EXPECTED = "a catalogue (.csv or .parquet) with a row for each picture"


class Catalogue:
    """Attributes by the name of a picture.

    Args:
        names: of the attributes, in order.
        rows: a value for each attribute, by the name that the catalogue has; None where there is no catalogue.
    """

    def __init__(self, names: tuple[str, ...], rows: Mapping[str, NDArray[np.float32]] | None) -> None:
        self.names = names
        self._rows = rows

    def of(self, key: str) -> NDArray[np.float32] | None:
        """What is said of a picture, (A,) float32 in [0, 1]; None where there is no row, or a value is missing."""
        if self._rows is None:
            return np.zeros(0, np.float32)
        row = self._rows.get(key)
        return self._rows.get(PurePosixPath(key).name) if row is None else row


def read_catalogue(block: Attributes, options: Mapping[str, Any]) -> Catalogue:
    """Read a catalogue.

    Args:
        block: of the job file, with an absolute place.
        options: fsspec storage options.

    Raises:
        CommandError: it cannot be read, lacks a column, or holds something that is no attribute.
        StorageError: storage refused or did not answer.
    """
    data = read_small(block.uri, options, "data.attributes.uri", EXPECTED)
    columns, rows = _parquet(data, block) if block.uri.lower().endswith(".parquet") else _csv(data, block)
    wanted = block.columns or tuple(name for name in columns if name != block.key_column)
    for name in (block.key_column, *wanted):
        if name not in columns:
            raise _wrong(block, f"it has no column {name!r}; there are {', '.join(columns)}")
    for name in wanted:
        if not NAME.fullmatch(name):
            raise _wrong(
                block,
                f"the column {name!r} cannot name an attribute: expected letters, digits, '-' and '_'; name the "
                "columns that are attributes at data.attributes.columns",
            )
    if not wanted:
        raise _wrong(block, "it has no column besides the key's; expected one for each attribute")
    return Catalogue(wanted, dict(_rows(rows, wanted, block)))


def _rows(
    rows: Iterator[Mapping[str, Any]], wanted: Sequence[str], block: Attributes
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        name = str(row.get(block.key_column) or "").strip()
        if not name:
            raise _wrong(block, f"row {number} has nothing in the column {block.key_column!r}, the picture's name")
        if name in seen:
            raise _wrong(block, f"row {number} is the second for {name!r}; expected one a picture")
        seen.add(name)
        try:
            values = attributes_of(row, {one: one for one in wanted})
        except OperatorError as error:
            raise _wrong(block, f"row {number} ({name}): {error.message}") from error
        if len(values) == len(wanted):
            yield name, np.array([values[one] for one in wanted], np.float32)


def _csv(data: bytes, block: Attributes) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        return list(reader.fieldnames or ()), iter(list(reader))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(block, f"it is no CSV in UTF-8 ({error}); expected {EXPECTED}") from error


def _parquet(data: bytes, block: Attributes) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise _wrong(block, f"it is no Parquet file ({error}); expected {EXPECTED}") from error
    return table.column_names, iter(table.to_pylist())


def _wrong(block: Attributes, problem: str) -> CommandError:
    return CommandError(f"data.attributes: {block.uri}: {problem}", Exit.BAD_JOB)
