"""Relative paths, schemes, and sources and outputs that lie in one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec.overlap import overlap
from jobs.spec.uris import absolute, has_wildcard


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("scans", "/job/scans"),
        ("scans/", "/job/scans/"),
        ("./scans/", "/job/scans/"),
        (".", "/job"),
        ("../scans/**/*.tif", "/scans/**/*.tif"),
        ("../x*/../y", "/x*/../y"),
        ("/abs/scans", "/abs/scans"),
        ("file:///abs/scans/", "/abs/scans/"),
        ("file://localhost/abs", "/abs"),
        ("file:/abs", "/abs"),
        ("local:///abs", "/abs"),
        ("S3://Museum/Scans/", "s3://Museum/Scans/"),
        ("memory://", "memory://"),
        ("box:1/plates", "/job/box:1/plates"),
        ("zip://*.tif::scans.zip", "zip://*.tif::/job/scans.zip"),
        ("zip://*.tif::s3://b/scans.zip", "zip://*.tif::s3://b/scans.zip"),
        ("./C:/x", "/job/C:/x"),
    ],
)
def test_made_absolute(uri: str, expected: str) -> None:
    assert absolute(uri, Path("/job")) == expected


def test_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert absolute("~/scans/", Path("/job")) == "/home/ada/scans/"
    assert absolute("~", Path("/job")) == "/home/ada"


def test_dots_after_a_link_are_kept(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "link").symlink_to(tmp_path / "far" / "away")
    assert absolute("link/../scans", tmp_path / "job") == f"{tmp_path}/job/link/../scans"
    assert absolute("other/../scans", tmp_path / "job") == f"{tmp_path}/job/scans"


@pytest.mark.parametrize("uri", ["C:\\scans", "d:/scans", "c:"])
def test_a_drive_letter_is_no_scheme(uri: str) -> None:
    with pytest.raises(ValueError, match="Windows drive letter"):
        absolute(uri, Path("/job"))


@pytest.mark.parametrize("uri", ["a/*.tif", "a/?", "a/[xy].tif"])
def test_wildcards(uri: str) -> None:
    assert has_wildcard(uri)
    assert not has_wildcard("a/[b/c]")


APART = [
    ("/a/scans", "/a/restored"),
    ("/a/scans", "/a/scans-restored"),
    ("/a/scans/**/*.tif", "/a/scans2"),
    ("/a/box*/x.tif", "/a/restored"),
    ("/a/catalogue.csv", "/a/restored"),
    ("s3://b/scans/", "s3://b/restored/"),
    ("s3://b/scans/**/*.tif", "s3://b/scans-out"),
    ("s3://b/scans", "s3://c/scans/out"),
    ("s3://b/scans", "gs://b/scans/out"),
    ("s3://b/scans", "/b/scans/out"),
    ("memory://in", "memory://out"),
    ("az://box@one/a", "az://box2@one/a"),
]
INSIDE = [
    ("/a/scans", "/a/scans"),
    ("/a/scans/", "/a/scans/out"),
    ("/a/scans/**/*.tif", "/a/scans/out"),
    ("/a/*.tif", "/a/out"),
    ("/a/box*/x.tif", "/a/box-restored"),
    ("/a/box*/x.tif", "/a"),
    ("**/*.tif", "restored"),
    ("s3://b", "s3://b/out"),
    ("s3://b/**/*.tif", "s3://b/out"),
    ("s3://b/scans/*.tif", "s3a://b/scans"),
    ("s3://b/scans//", "s3://b//scans/out"),
    ("gs://b/x", "gcs://b/x/y"),
    ("memory://in", "memory:///in/out"),
    ("sftp://ada@Host/x", "sftp://host/x/y"),
    ("zip://*.tif::/a/scans.zip", "/a"),
]


@pytest.mark.parametrize(("source", "output"), APART)
def test_apart(source: str, output: str) -> None:
    assert overlap(source, output) == ""


@pytest.mark.parametrize(("source", "output"), INSIDE)
def test_in_one_another(source: str, output: str) -> None:
    assert "put" in overlap(source, output)


@pytest.mark.parametrize(
    ("source", "output"), [("/a/out/scans", "/a/out"), ("s3://b/a/*.tif", "s3://b"), ("/a/x.tif", "/a")]
)
def test_a_source_in_the_output(source: str, output: str) -> None:
    assert overlap(source, output).startswith("the source lies inside the output")


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "scans")
    assert "inside the source" in overlap(f"{tmp_path}/scans", f"{tmp_path}/elsewhere/out")
    assert "inside the source" in overlap(f"{tmp_path}/elsewhere/*.tif", f"{tmp_path}/scans/out")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert overlap(f"{tmp_path}/scans", f"{tmp_path}/loop/out") == ""


def test_buckets_of_one_name_at_two_endpoints() -> None:
    one, two = {"endpoint_url": "http://one"}, {"client_kwargs": {"endpoint_url": "http://two/"}}
    assert overlap("s3://b/x", "s3://b/x/y", (one, two)) == ""
    assert overlap("s3://b/x", "s3://b/x/y", (one, one)) != ""
    assert overlap("s3://b/x", "s3://b/x/y", (two, {"endpoint_url": "http://two"})) != ""
    assert overlap("s3://b/x", "s3://b/x/y", (one, {})) != ""
