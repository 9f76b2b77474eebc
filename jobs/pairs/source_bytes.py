"""The bytes of a pair's source, from where its record says, or from where it has gone since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.sources import Reader, SourceSpec, make_reader
from pipeline.storage import filesystem

MOST_BYTES = 2**50
"""No limit: the record names the size and the hash of what is read."""


@dataclass(frozen=True)
class SourceBytes:
    """Reads sources one after the other.

    Attributes:
        options: fsspec storage options.
        bytes_column: Parquet column with the pictures; empty for the usual one.
        moved: a file or folder that stands for the place in the record; empty where nothing has moved.
    """

    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    bytes_column: str = ""
    moved: str = ""

    def read(self, source: Mapping[str, Any]) -> bytes:
        """A source's bytes, not compared with anything yet.

        Args:
            source: `key`, `uri`, `offset`, `row` and `bytes` of a record.

        Raises:
            RecordError: it is not there, or cannot be read.
            StorageError: storage refused or did not answer.
        """
        uri = self._uri(source)
        offset, row = int(source["offset"]), int(source["row"])
        # A whole object is taken at its own size, so that another file is told by its hash.
        size = int(source["bytes"]) if offset >= 0 else -1
        record = Record(str(source["key"]), uri, "", size=size, offset=offset, row=row)
        if row < 0:
            return self._objects.read(record)
        try:
            return self._tables.read(record)
        except KeyError as error:
            name = self.bytes_column or "the usual name"
            raise RecordError(
                "unreadable",
                f"{uri}: has no column of {name} with pictures; name the job file with --job, which says which it is",
            ) from error

    @cached_property
    def _objects(self) -> Reader:
        return make_reader(SourceSpec("files", "", self.options, max_bytes=MOST_BYTES))

    @cached_property
    def _tables(self) -> Reader:
        return make_reader(
            SourceSpec("parquet", "", self.options, bytes_column=self.bytes_column, max_bytes=MOST_BYTES)
        )

    def _uri(self, source: Mapping[str, Any]) -> str:
        if not self.moved:
            return str(source["uri"])
        tried = []
        for uri in self._places(source):
            fs, path = filesystem(uri, self.options)
            if fs.isfile(path):
                return uri
            tried.append(uri)
        raise RecordError("missing", f"--source {self.moved}: found none of {', '.join(tried)}")

    def _places(self, source: Mapping[str, Any]) -> Iterator[str]:
        """Where a moved source may be: the file itself; in a folder under its key, or under its name."""
        yield self.moved
        folder = self.moved.rstrip("/")
        if int(source["offset"]) < 0 and int(source["row"]) < 0:
            yield f"{folder}/{source['key']}"
        yield f"{folder}/{PurePosixPath(str(source['uri'])).name}"
