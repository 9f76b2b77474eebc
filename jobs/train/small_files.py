"""Short files that a train job names: lists, catalogues, a style picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.errors import CommandError
from jobs.exits import Exit
from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.sources import SourceSpec, make_reader

MOST_BYTES = 2**30


def read_small(uri: str, options: Mapping[str, Any], key: str, expected: str) -> bytes:
    """A file as a whole.

    Args:
        uri: absolute.
        options: fsspec storage options.
        key: of the job file, for messages.
        expected: what it should be, for messages.

    Raises:
        CommandError: it is not there, or cannot be read.
        StorageError: storage refused or did not answer.
    """
    try:
        return make_reader(SourceSpec("files", uri, options, max_bytes=MOST_BYTES)).read(Record(uri, uri, ""))
    except RecordError as error:
        raise CommandError(f"{key}: {error.message}; expected {expected}", Exit.BAD_JOB) from error
