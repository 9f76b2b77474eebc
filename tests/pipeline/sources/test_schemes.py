"""Which storage a catalogue may name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import SourceSpec, list_records
from pipeline.sources.schemes import refused_scheme, schemes_of

S3 = "s3://museum/lists/catalogue.csv"


@pytest.mark.parametrize(
    ("uri", "schemes"),
    [
        ("/data/a.jpg", ("file",)),
        ("a.jpg", ("file",)),
        ("file:///a.jpg", ("file",)),
        ("LOCAL:///a.jpg", ("file",)),
        ("S3A://bucket/a.jpg", ("s3",)),
        ("c://x", ("c",)),
        ("s3://bucket/a::b.jpg", ("s3",)),
        ("/data/a::b.jpg", ("file",)),
        ("simplecache::s3://bucket/a.jpg", ("simplecache", "s3")),
        ("zip://a.jpg::file:///box.zip", ("zip", "file")),
        ("zip://a.jpg::simplecache::https://host/box.zip", ("zip", "simplecache", "https")),
        ("s3://bucket/a::b/c::file:///etc/passwd", ("s3", "file", "file")),
        ("nonsense::s3://bucket/a.jpg", ("nonsense", "s3")),
    ],
)
def test_the_schemes_of_a_uri_are_those_that_opening_it_uses(uri: str, schemes: tuple[str, ...]) -> None:
    assert schemes_of(uri) == schemes


@pytest.mark.parametrize(
    ("catalogue", "allowed", "uri", "refused"),
    [
        (S3, (), "s3://other/a.jpg", ""),
        (S3, (), "file:///etc/passwd", "file"),
        (S3, (), "http://169.254.169.254/latest/meta-data", "http"),
        (S3, (), "simplecache::s3://museum/a.jpg", "simplecache"),
        (S3, (), "zip://a.jpg::s3://museum/a.zip", "zip"),
        (S3, (), "memory://a.jpg", "memory"),
        (S3, (), "s3://museum/a::b::file:///etc/passwd", "b"),
        (S3, ("https",), "https://host/a.jpg", ""),
        (S3, ("https",), "http://host/a.jpg", "http"),
        (S3, ("zip",), "zip://a.jpg::s3://museum/a.zip", ""),
        ("gs://museum/c.csv", (), "gcs://museum/a.jpg", ""),
        ("/data/c.csv", (), "file:///elsewhere/a.jpg", ""),
        ("/data/c.csv", (), "s3://museum/a.jpg", "s3"),
        ("/data/c.csv", ("S3",), "s3a://museum/a.jpg", ""),
        ("simplecache::s3://museum/c.csv", (), "simplecache::s3://museum/a.jpg", ""),
    ],
)
def test_what_a_catalogue_may_name(catalogue: str, allowed: tuple[str, ...], uri: str, refused: str) -> None:
    assert refused_scheme(uri, SourceSpec("manifest", catalogue, schemes=allowed)) == refused


def test_a_row_of_another_scheme_is_a_problem_that_names_scheme_and_key(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uri": ["a.jpg", "http://host/a.jpg"], "key": ["1", "2"]}), tmp_path / "c.parquet")
    spec = SourceSpec("parquet", str(tmp_path), uri_column="uri", key_column="key")
    first, second = list_records(spec)
    assert first.problem == ""
    assert (second.key, second.uri) == ("2", "http://host/a.jpg")
    assert second.problem.startswith("scheme_not_allowed: row1 of c.parquet names storage of the scheme `http`")
    assert "`source.schemes`" in second.problem
