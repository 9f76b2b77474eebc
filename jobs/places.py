"""From a job file to the places it names: source, output, and the secrets that unlock them."""

from __future__ import annotations

from jobs.spec import Sourced, Spec, resolve_options
from pipeline.sources import SourceSpec
from pipeline.storage import Folder


def source_of(job: Sourced) -> SourceSpec:
    """The job's source with its storage options filled in from the environment."""
    given = job.source.model_dump(include=_FIELDS, exclude_none=True)
    return SourceSpec(
        **given, options=resolve_options(job.source.storage_options), max_bytes=job.source.limits.max_bytes
    )


def output_of(job: Spec) -> Folder:
    """The job's output root with its storage options filled in from the environment."""
    return Folder(job.output.uri, resolve_options(job.output.storage_options))


_COLUMNS = {"bytes_column", "uri_column", "key_column"}
_FIELDS = {"kind", "uri", "include", "exclude", "image_suffixes", "links", "schemes"} | _COLUMNS
