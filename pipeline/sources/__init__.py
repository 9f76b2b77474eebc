"""Where records come from: loose files, tar shards, Parquet tables, catalogues, at any URL that fsspec knows."""

from pipeline.sources.patterns import source_prefix
from pipeline.sources.spec import IMAGE_SUFFIXES, Ignored, OnIgnored, Reader, SourceKind, SourceSpec
from pipeline.sources.table import list_records, make_reader

__all__ = [
    "IMAGE_SUFFIXES",
    "Ignored",
    "OnIgnored",
    "Reader",
    "SourceKind",
    "SourceSpec",
    "list_records",
    "make_reader",
    "source_prefix",
]
