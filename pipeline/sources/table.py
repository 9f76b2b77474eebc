"""The kinds of source, and the two things that each can do: list its records and read one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pipeline.errors import SourceError
from pipeline.names import check_key, printable
from pipeline.records import Record
from pipeline.sources.files import list_files
from pipeline.sources.manifest import list_manifest
from pipeline.sources.parquet import ParquetReader, list_parquet
from pipeline.sources.reader import ObjectReader
from pipeline.sources.spec import OnIgnored, Reader, SourceKind, SourceSpec, nobody
from pipeline.sources.webdataset import list_webdataset

LISTERS: Mapping[SourceKind, Callable[[SourceSpec, OnIgnored], Iterator[Record]]] = MappingProxyType(
    {
        "files": list_files,
        "webdataset": list_webdataset,
        "parquet": list_parquet,
        "manifest": list_manifest,
    }
)


def list_records(spec: SourceSpec, ignored: OnIgnored = nobody) -> Iterator[Record]:
    """Stream the records of a source, in an order that depends on the storage's content alone.

    A record whose key is unsafe carries a problem. Keys are not compared with each other: two shards, or two lines of a
    catalogue, may give the same one.

    Args:
        spec: what to list.
        ignored: told of everything that is no record.

    Raises:
        SourceError: the source as a whole cannot be read as the spec says, or holds no record at all.
        StorageError: storage refused or did not answer.
    """
    count = 0
    for record in LISTERS[spec.kind](spec, ignored):
        count += 1
        yield _checked(record)
    if not count:
        hint = "; in a URI, brackets are wildcards, and a literal `[` is written `[[]`" if "[" in spec.uri else ""
        raise SourceError(f"{spec.uri}: no record found there as kind `{spec.kind}`; check the URI and patterns{hint}")


def _checked(record: Record) -> Record:
    """The record, with the problem that its key or URI is; what is not valid Unicode cannot be planned as it stands."""
    key, uri = printable(record.key), printable(record.uri)
    problem = record.problem or check_key(record.key)
    if not problem and uri != record.uri:
        problem = "bad_uri: the name of the object that holds it is not valid Unicode; rename that"
    changed = (key, uri, problem) != (record.key, record.uri, record.problem)
    return replace(record, key=key, uri=uri, problem=printable(problem)) if changed else record


def make_reader(spec: SourceSpec) -> Reader:
    """A reader of the source's records; make it where it is used, it does not travel between processes."""
    if spec.kind == "parquet" and not spec.uri_column:
        return ParquetReader(spec)
    return ObjectReader(spec)
