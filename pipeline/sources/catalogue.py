"""Rows of catalogues as records: which object a row names, and by which key."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import SourceError
from pipeline.records import Record
from pipeline.sources.objects import Found, uri_of
from pipeline.sources.schemes import refused_scheme
from pipeline.sources.spec import SourceSpec
from pipeline.sources.values import jsonable, key_text
from pipeline.storage import split_chain

DEFAULT_URI_COLUMN = "uri"
BATCH_ROWS = 4096
MAX_URI = 8192
SHOWN, SHOWN_CHARACTERS = 50, 100

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
# File systems whose URLs have no bucket or host before the path.
_NO_HOST = frozenset({"file", "local", "memory"})


def open_exact(fs: Any, path: str) -> Any:
    """A file that fetches just what it is asked for: Parquet's reader knows its ranges, reading ahead would waste."""
    return fs.open(path, "rb", cache_type="none")


def list_parquet_catalogue(table: Any, found: Found, spec: SourceSpec) -> Iterator[Record]:
    """Records of an open Parquet file (`pyarrow.parquet.ParquetFile`) whose rows name objects."""
    schema = table.schema_arrow
    check_columns(schema.names, found, spec)
    plain = [field.name for field in schema if not (pa.types.is_nested(field.type) or _is_bytes(field.type))]
    rows = (row for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=plain) for row in batch.to_pylist())
    for number, row in enumerate(rows):
        yield record_of(row, f"row{number}", found, spec)


def check_columns(present: Iterable[str], found: Found, spec: SourceSpec) -> None:
    """Raise SourceError unless the catalogue has the columns that the spec names."""
    names = list(present)
    for asked, setting in ((spec.uri_column or DEFAULT_URI_COLUMN, "uri_column"), (spec.key_column, "key_column")):
        if asked and asked not in names:
            raise SourceError(f"{found.uri}: no column {asked!r}; set `source.{setting}` to one of: {named(names)}")


def record_of(row: Mapping[str, Any], place: str, found: Found, spec: SourceSpec) -> Record:
    """The record that a catalogue's row stands for; a row that names no object gives one with a problem.

    A relative URI is relative to the catalogue's folder. Without a key column the key is the URI's path: relative to
    that folder where it lies below it, else without scheme, bucket and leading `../`. The object itself is not looked
    at: that would be a request for each record; a missing one is found when it is read.

    Args:
        row: column names to values.
        place: of the row in the catalogue, for messages (`line12`).
        found: the catalogue.
        spec: `uri`, `uri_column`, `key_column` and `schemes` are looked at.
    """
    uri_column = spec.uri_column or DEFAULT_URI_COLUMN
    metadata = jsonable({name: value for name, value in row.items() if name not in {uri_column, spec.key_column}})
    given = row.get(uri_column)
    written = given.strip() if isinstance(given, str) else ""
    fault = _fault_of_text(written, uri_column)
    uri = "" if fault else _absolute(written, found)
    fault = fault or _fault_of_uri(uri, written, spec)
    own = key_text(row.get(spec.key_column)) if spec.key_column else ""
    key = own or (_default_key(uri, found) if uri and not spec.key_column else "")
    if not key and not fault:
        fault = f"no_key: gives no key; fill in its column {spec.key_column or uri_column!r}"
    code, _, words = fault.partition(": ")
    problem = f"{code}: {place} of {found.name} {words}" if fault else ""
    return Record(key or f"{found.name}#{place}", uri or found.uri, "", metadata=metadata, problem=problem)


def _fault_of_text(written: str, column: str) -> str:
    """Why what a row names can be no URI (`code: words that follow the row's place`), or an empty string."""
    if not written:
        return f"no_uri: has no text in column {column!r}; fill it in or remove the row"
    if len(written) > MAX_URI:
        return f"bad_uri: names something of {len(written)} characters, a URI has at most {MAX_URI}; correct the row"
    if any(unicodedata.category(character) == "Cc" for character in written):
        return f"bad_uri: names {written[:SHOWN_CHARACTERS]!r}, which holds a control character; correct the row"
    return ""


def _fault_of_uri(uri: str, written: str, spec: SourceSpec) -> str:
    """Why an object may not be read (`code: words that follow the row's place`), or an empty string."""
    if not uri:
        return f"bad_uri: names {written[:SHOWN_CHARACTERS]!r}, which lies outside its storage; write a full URI"
    if scheme := refused_scheme(uri, spec):
        return (
            f"scheme_not_allowed: names storage of the scheme `{scheme}`, which the job does not; where that is meant, "
            f"add `{scheme}` to `source.schemes`"
        )
    return ""


def named(columns: Sequence[str]) -> str:
    """Columns' names for a message, the first ones where there are many."""
    more = f", and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    return ", ".join(name[:SHOWN_CHARACTERS] for name in columns[:SHOWN]) + more


def bad_row(place: str, fault: str, found: Found) -> Record:
    """A record for a row that cannot be read at all."""
    problem = f"bad_row: {place} of {found.name}: {fault}; correct the row"
    return Record(f"{found.name}#{place}", found.uri, "", problem=problem)


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _folder(found: Found) -> str:
    return posixpath.dirname(found.path)


def _absolute(written: str, found: Found) -> str:
    """The full URI, or an empty string for one that leads out of the catalogue's storage."""
    if _SCHEME.match(written) or split_chain(written) != ("", written, ""):
        return written
    local = isinstance(found.fs, LocalFileSystem)
    if written.startswith("/"):
        return str(found.fs.unstrip_protocol(posixpath.normpath(written))) if local else ""
    path = posixpath.normpath(f"{_folder(found)}/{written}")
    if path.split("/", 1)[0] != found.path.split("/", 1)[0]:
        return ""  # up and out of the bucket
    return uri_of(found.fs, path, found.uri)


def _default_key(uri: str, found: Found) -> str:
    here = uri_of(found.fs, _folder(found), found.uri).rstrip("/") + "/"
    if uri.startswith(here):
        return uri[len(here) :]
    scheme, _, rest = uri.partition("::")[0].partition("://")
    if scheme in {"http", "https"}:
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    return rest.lstrip("/") if scheme in _NO_HOST else rest.partition("/")[2]
