"""Loose files: each matching object is a record."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.records import Record
from pipeline.sources.objects import find_objects
from pipeline.sources.spec import OnIgnored, SourceSpec


def list_files(spec: SourceSpec, ignored: OnIgnored) -> Iterator[Record]:
    """Records of a prefix or a glob; the key is the path relative to the prefix, extension included.

    A link to a file is read as that file where that lies below the prefix too. One that leads elsewhere is read if
    `links` is `anywhere`, and is else a record with a problem: whoever may put files into an archive need not be
    somebody who may read all that the job can. A link to a folder is not followed.
    """
    for found in find_objects(spec, spec.image_suffixes, ignored):
        yield Record(found.name, found.uri, found.version, size=found.size, problem=found.problem)
