"""What a job says of its source, and what the listing says of what it left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline.names import printable
from pipeline.records import Record

SourceKind = Literal["files", "webdataset", "parquet", "manifest"]
Links = Literal["inside", "anywhere"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".jp2", ".j2k", ".webp", ".bmp")


@dataclass(frozen=True)
class SourceSpec:
    """Where records come from.

    Attributes:
        kind: `files`, `webdataset` (tar shards), `parquet` or `manifest` (CSV, TSV, JSONL or Parquet catalogue).
        uri: an object, a prefix, or a glob with `*`, `?`, `[...]` and `**`; a manifest is one object.
        options: fsspec storage options, environment variables already filled in.
        include: patterns of names, case ignored; one with a slash is matched against the path relative to the prefix,
            one without against the last part of it. Empty: names that end in one of `image_suffixes`. A glob whose
            last part is more than `*` or `**` decides alone, unless patterns are given.
        exclude: patterns of names to leave out, matched likewise.
        image_suffixes: lower case, with the dot.
        bytes_column: Parquet column with the image's bytes, or a struct with the field `bytes` (Hugging Face `Image`).
        uri_column: column with the image's URI; in a Parquet source given instead of `bytes_column`.
        key_column: column with the record's key. Empty: the URI's path, or a struct's field `path`.
        schemes: storage that a catalogue may name besides that of `uri` itself (`s3`, `https`, `file`, ...).
        links: whether a local link to a file is read wherever it leads (`anywhere`), or refused where that is out of
            the prefix (`inside`).
        max_bytes: an encoded image larger than this is quarantined unread.
    """

    kind: SourceKind
    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    image_suffixes: tuple[str, ...] = IMAGE_SUFFIXES
    bytes_column: str = ""
    uri_column: str = ""
    key_column: str = ""
    schemes: tuple[str, ...] = ()
    links: Links = "inside"
    max_bytes: int = 2 * 2**30


class OnIgnored(Protocol):
    """Called with the name of something that is no record, and why (`not an image`, `hidden`, ...)."""

    def __call__(self, name: str, reason: str) -> None:
        """Take note of it."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that a listing found and that is no record; what `OnIgnored` is called with."""

    name: str
    reason: str


class Reader(Protocol):
    """Reads records in a worker; safe to call from several threads."""

    def read(self, record: Record) -> bytes:
        """The record's encoded bytes."""


@dataclass
class Ignored:
    """Counts what a listing left out, with the first name of each reason as an example."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def __call__(self, name: str, reason: str) -> None:
        """Count one more."""
        self.counts[reason] += 1
        self.examples.setdefault(reason, printable(name))


def nobody(name: str, reason: str) -> None:
    """An `OnIgnored` that takes no note."""
