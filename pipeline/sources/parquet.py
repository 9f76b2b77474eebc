"""Parquet tables with the images' bytes in a column: listing their rows and reading one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import RecordError, SourceError
from pipeline.records import Record
from pipeline.sources.ahead import in_order
from pipeline.sources.catalogue import list_parquet_catalogue, open_exact
from pipeline.sources.damage import DECODING, is_damage
from pipeline.sources.objects import Found, find_objects, listing_errors
from pipeline.sources.reader import details, refuse_changed, refuse_large, refuse_planned, storage_errors
from pipeline.sources.spec import OnIgnored, SourceSpec
from pipeline.sources.values import jsonable, key_text
from pipeline.storage import filesystem

SUFFIXES = (".parquet", ".pq")
DEFAULT_BYTES_COLUMN = "image"
BATCH_ROWS = 4096


def list_parquet(spec: SourceSpec, ignored: OnIgnored) -> Iterator[Record]:
    """One record a row of each Parquet file (one file, a prefix, a glob); the bytes column is not fetched.

    With `uri_column`, rows name objects elsewhere, as in a manifest. Otherwise the bytes column (default `image`) is
    binary, or a struct with the field `bytes`, and the key column's value is the key; without `key_column` that is the
    struct's field `path`. Other columns of plain values are metadata. A null in the bytes column is found when the row
    is read.

    Raises:
        SourceError: nothing is there, or a column is missing or of another type.
        StorageError: storage refused or did not answer.
    """
    yield from in_order(partial(_list_file, found, spec) for found in find_objects(spec, SUFFIXES, ignored))


def _list_file(found: Found, spec: SourceSpec) -> Iterator[Record]:
    if found.problem:
        yield Record(found.name, found.uri, found.version, size=found.size, problem=found.problem)
        return
    with listing_errors(found.uri):
        try:
            with open_exact(found.fs, found.path) as file, pq.ParquetFile(file) as table:
                yield from (
                    list_parquet_catalogue(table, found, spec) if spec.uri_column else _list_rows(table, found, spec)
                )
        except (OSError, *DECODING) as error:
            if not is_damage(error):
                raise
            problem = f"broken_shard: {found.uri}: {error}; write or copy the file again"
            yield Record(found.name, found.uri, found.version, size=found.size, problem=problem)


@dataclass(frozen=True)
class _Columns:
    """Which columns of a file are read for the listing.

    Attributes:
        key: column of the key, or the struct's name where its field `path` is the key.
        nested: whether the key is that field.
        metadata: columns of plain values.
    """

    key: str
    nested: bool
    metadata: tuple[str, ...]

    @property
    def wanted(self) -> list[str]:
        """Names as pyarrow takes them."""
        return [f"{self.key}.path" if self.nested else self.key, *self.metadata]


def _list_rows(table: pq.ParquetFile, found: Found, spec: SourceSpec) -> Iterator[Record]:
    columns = _columns(table.schema_arrow, found, spec)
    row = 0
    for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=columns.wanted):
        for values in batch.to_pylist():
            key = values.get(columns.key)
            if columns.nested:
                key = (key or {}).get("path")
            text = key_text(key)
            yield Record(
                text or f"{found.name}#row{row}",
                found.uri,
                found.version,
                row=row,
                metadata={name: jsonable(values[name]) for name in columns.metadata},
                problem="" if text else f"no_key: row {row} of {found.name} has no key in its key column; fill it in",
            )
            row += 1


def _columns(schema: Any, found: Found, spec: SourceSpec) -> _Columns:
    present = ", ".join(schema.names)
    column = spec.bytes_column or DEFAULT_BYTES_COLUMN
    if column not in schema.names:
        raise SourceError(f"{found.uri}: no column {column!r}; set `source.bytes_column` to one of: {present}")
    kind = schema.field(column).type
    struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    if not _is_binary(kind.field("bytes").type if struct else kind):
        raise SourceError(
            f"{found.uri}: column {column!r} is {kind}, expected binary or struct<bytes, path>; "
            "for a column of URIs set `source.uri_column`"
        )
    nested = not spec.key_column and struct and kind.get_field_index("path") >= 0
    if not nested and spec.key_column not in schema.names:
        asked = f"no column {spec.key_column!r}" if spec.key_column else "the images have no names of their own"
        raise SourceError(f"{found.uri}: {asked}; set `source.key_column` to one of: {present}")
    key = column if nested else spec.key_column
    metadata = tuple(field.name for field in schema if field.name not in {column, key} and _is_plain(field.type))
    return _Columns(key, nested, metadata)


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_plain(kind: Any) -> bool:
    return not (_is_binary(kind) or pa.types.is_nested(kind) or pa.types.is_fixed_size_binary(kind))


@dataclass
class _Open:
    """The file in hand and the row group read last.

    Attributes:
        uri: of the file.
        version: it was opened for.
        file: the handle below the table.
        table: the file's reader.
        starts: first row of each row group, and the row behind the last.
        group: index of the row group in `column`, or -1.
        column: the bytes column of that row group, a chunked array.
    """

    uri: str
    version: str
    file: Any
    table: Any
    starts: tuple[int, ...]
    group: int = -1
    column: Any = None

    def close(self) -> None:
        """Let go of the file."""
        self.column = None
        self.table.close()
        self.file.close()


class ParquetReader:
    """Reads single rows' bytes; holds one row group of one file, so rows asked for in order are fetched once.

    Threads take turns: what they wait for is in most cases memory.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._name = spec.bytes_column or DEFAULT_BYTES_COLUMN
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def read(self, record: Record) -> bytes:
        """The bytes in the record's row.

        Raises:
            RecordError: `missing`, `source_changed`, `null_image`, `too_large`, `unreadable`, or the planned problem.
            StorageError: storage refused or did not answer.
        """
        refuse_planned(record)
        with self._lock, storage_errors(record.uri, self._spec):
            try:
                data = self._row(self._file(record), record.row)
            except (OSError, *DECODING) as error:
                if not is_damage(error):
                    raise
                raise RecordError(
                    "unreadable", f"{record.uri}, row {record.row}: {error}; write the file again"
                ) from error
        if data is None:
            raise RecordError(
                "null_image", f"{record.uri}: row {record.row} has no bytes in column {self._name!r}; fill it in"
            )
        refuse_large(record, len(data), self._spec.max_bytes)
        return data

    def _file(self, record: Record) -> _Open:
        """The record's file, opened anew when it is another one than last time."""
        if self._open and (self._open.uri, self._open.version) == (record.uri, record.version):
            return self._open
        if self._open:
            self._open.close()
            self._open = None
        fs, path = filesystem(record.uri, self._spec.options)
        refuse_changed(record, details(fs, path))
        file = open_exact(fs, path)
        try:
            table = pq.ParquetFile(file)
        except BaseException:
            file.close()
            raise
        starts = [0]
        for group in range(table.metadata.num_row_groups):
            starts.append(starts[-1] + table.metadata.row_group(group).num_rows)
        self._open = _Open(record.uri, record.version, file, table, tuple(starts))
        return self._open

    def _row(self, opened: _Open, row: int) -> bytes | None:
        if not 0 <= row < opened.starts[-1]:
            raise RecordError("missing", f"{opened.uri}: no row {row}; the file has {opened.starts[-1]}")
        group = next(index for index in range(len(opened.starts) - 1) if row < opened.starts[index + 1])
        if group != opened.group:
            opened.group, opened.column = -1, None  # the old one goes before the new one comes
            column = opened.table.read_row_group(group, columns=self._leaves(opened)).column(self._name)
            if len(column) != opened.starts[group + 1] - opened.starts[group]:
                raise pa.ArrowInvalid(f"row group {group} holds {len(column)} values, not as many as the footer says")
            opened.group, opened.column = group, column
        value = opened.column[row - opened.starts[group]]
        if value.is_valid and pa.types.is_struct(value.type):
            value = value["bytes"]
        data = value.as_py()
        return None if data is None else bytes(data)

    def _leaves(self, opened: _Open) -> list[str]:
        kind = opened.table.schema_arrow.field(self._name).type
        return [f"{self._name}.bytes" if pa.types.is_struct(kind) else self._name]
