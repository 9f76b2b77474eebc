"""Loose files: which are records, in which order, and what is left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import RecordError, SourceError, StorageError
from pipeline.sources import Ignored, SourceKind, SourceSpec, list_records, make_reader, source_prefix
from pipeline.storage import Folder

TREE = (
    ".hidden/a.jpg",
    "_facejobs/runs/x/samples/a.jpg",
    "box-1/a.jpg",
    "box.jpg",
    "box/B.JPG",
    "box/a.tif",
    "box/deeper/c.jpeg",
    "box/notes.txt",
    "box/.DS_Store",
    "zz/Thumbs.db",
)


@pytest.fixture
def tree(place: Folder) -> Folder:
    for name in TREE:
        place.write(name, name.encode())
    return place


def keys(spec: SourceSpec) -> list[str]:
    return [record.key for record in list_records(spec)]


def test_a_prefix_gives_its_images_and_counts_the_rest(tree: Folder) -> None:
    ignored = Ignored()
    records = list(list_records(SourceSpec("files", tree.uri, tree.options), ignored))
    found = ["box-1/a.jpg", "box.jpg", "box/B.JPG", "box/a.tif", "box/deeper/c.jpeg"]
    assert sorted(record.key for record in records) == sorted(found)
    assert ignored.counts["not an image"] == 2
    assert ignored.counts["hidden"] >= 1
    assert ignored.examples["not an image"] in {"box/notes.txt", "zz/Thumbs.db"}
    assert [record.key for record in list_records(SourceSpec("files", tree.uri + "/", tree.options))] == [
        record.key for record in records
    ]
    if not tree.uri.startswith("s3:"):
        # Code-point order of the whole names, as AWS S3 lists; the test's S3 server has an order of its own.
        assert [record.key for record in records] == sorted(found)


def test_versions_follow_the_content(tree: Folder) -> None:
    spec = SourceSpec("files", f"{tree.uri}/box.jpg", tree.options)
    (before,) = list_records(spec)
    tree.write("box.jpg", b"something else")
    (after,) = list_records(spec)
    assert before.version != after.version
    assert before.key == after.key == "box.jpg"


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("**/*.jpg", ["box-1/a.jpg", "box.jpg"]),
        ("*.jpg", ["box.jpg"]),
        ("*/*.jpg", ["box-1/a.jpg"]),
        ("box*/**", ["box-1/a.jpg", "box/B.JPG", "box/a.tif", "box/deeper/c.jpeg"]),
        ("**/[ab].*", ["box-1/a.jpg", "box/a.tif"]),
        ("**/?.jp*g", ["box-1/a.jpg", "box/deeper/c.jpeg"]),
        ("**/*.txt", ["box/notes.txt"]),
    ],
)
def test_globs(tree: Folder, glob: str, found: list[str]) -> None:
    assert sorted(keys(SourceSpec("files", f"{tree.uri}/{glob}", tree.options))) == found


def test_glob_keys_are_relative_to_the_folder_before_the_first_wildcard(tree: Folder) -> None:
    assert keys(SourceSpec("files", f"{tree.uri}/box/*.tif", tree.options)) == ["a.tif"]
    assert keys(SourceSpec("files", f"{tree.uri}/box/de*/*", tree.options)) == ["deeper/c.jpeg"]


def test_include_and_exclude_ignore_case(tree: Folder) -> None:
    assert keys(SourceSpec("files", tree.uri, tree.options, include=("b.jpg",))) == ["box/B.JPG"]
    assert keys(SourceSpec("files", tree.uri, tree.options, include=("BOX/*.tif", "*.TXT"))) == [
        "box/a.tif",
        "box/notes.txt",
    ]
    found = keys(SourceSpec("files", tree.uri, tree.options, exclude=("a.*", "box/deeper/**")))
    assert sorted(found) == ["box.jpg", "box/B.JPG"]
    assert keys(SourceSpec("files", f"{tree.uri}/**/*.jpg", tree.options, exclude=("box-*/*",))) == ["box.jpg"]


def test_one_object_is_a_source(tree: Folder) -> None:
    spec = SourceSpec("files", f"{tree.uri}/box/a.tif", tree.options)
    (record,) = list_records(spec)
    assert (record.key, record.size) == ("a.tif", len("box/a.tif"))
    assert make_reader(spec).read(record) == b"box/a.tif"


@pytest.mark.parametrize("below", ["nowhere", "nowhere/**/*.jpg", "zz", "**/*.nef"])
def test_nothing_found_is_said(tree: Folder, below: str) -> None:
    with pytest.raises(SourceError, match=r"nothing|no record"):
        list(list_records(SourceSpec("files", f"{tree.uri}/{below}", tree.options)))


def test_brackets_in_a_folders_name(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "scans [2019]"))
    folder.write("a.jpg", b"x")
    with pytest.raises(SourceError, match="literal"):
        keys(SourceSpec("files", folder.uri))
    assert keys(SourceSpec("files", folder.uri.replace("[", "[[]") + "/*")) == ["scans [2019]/a.jpg"]


def test_a_relative_path(tree: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    if "://" in tree.uri:
        pytest.skip("only local paths can be relative")
    monkeypatch.chdir(tree.uri)
    assert keys(SourceSpec("files", "box")) == ["B.JPG", "a.tif", "deeper/c.jpeg"]
    assert keys(SourceSpec("files", "*.jpg")) == ["box.jpg"]
    assert source_prefix("*.jpg") == ""


def test_a_bad_pattern_is_said(tree: Folder) -> None:
    with pytest.raises(SourceError, match=r"\*\*"):
        list(list_records(SourceSpec("files", f"{tree.uri}/**.jpg", tree.options)))


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        ("s3://museum/scans/**/*.tif", "s3://museum/scans"),
        ("s3://museum/scans/", "s3://museum/scans"),
        ("s3://museum/box-[0-9]/*", "s3://museum"),
        ("s3://mus*", "s3://"),
        ("s3://museum", "s3://museum"),
        ("/data/sc?ns/a", "/data"),
        ("/data/[broken/a", "/data/[broken/a"),
        ("/*.jpg", "/"),
        ("*.jpg", ""),
        ("scans/*.jpg", "scans"),
        ("memory://*.jpg", "memory://"),
        ("zip://a/*.jpg::s3://bucket/box-*.zip", "zip://a::s3://bucket/box-*.zip"),
        ("simplecache::s3://bucket/a/*.jpg", "simplecache::s3://bucket/a"),
        ("/data/a::b/*.jpg", "/data/a::b"),
    ],
)
def test_source_prefix(uri: str, prefix: str) -> None:
    assert source_prefix(uri) == prefix


def test_odd_entries_of_a_local_folder(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "far.jpg").write_bytes(b"far")
    (root / "folder.jpg").mkdir(parents=True)
    (root / "folder.jpg" / "inside.jpg").write_bytes(b"inside")
    (root / "link.jpg").symlink_to(outside / "far.jpg")
    (root / "dangling.jpg").symlink_to(root / "nothing.jpg")
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    (root / "around").symlink_to(root)
    (root / "away").symlink_to(outside)
    os.mkfifo(root / "pipe.jpg")
    ignored = Ignored()
    spec = SourceSpec("files", str(root), links="anywhere")
    records = {record.key: record for record in list_records(spec, ignored)}
    assert set(records) == {"folder.jpg/inside.jpg", "link.jpg", "dangling.jpg", "loop.jpg"}
    assert make_reader(spec).read(records["link.jpg"]) == b"far"
    assert records["dangling.jpg"].problem.startswith("dangling_link: ")
    assert records["loop.jpg"].problem.startswith("dangling_link: ")
    assert ignored.counts == {"link to a folder": 2, "not a file": 1}
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(records["dangling.jpg"])
    assert caught.value.code == "dangling_link"


def test_links_are_read_inside_and_refused_outside(tmp_path: Path) -> None:
    for name in ("scans/box/a.jpg", "elsewhere/secret.jpg", "scans-2/near.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    root = tmp_path / "scans"
    (root / "inside.jpg").symlink_to("box/a.jpg")
    (root / "outside.jpg").symlink_to(tmp_path / "elsewhere" / "secret.jpg")
    (root / "beside.jpg").symlink_to("../scans-2/near.jpg")
    (root / "twice.jpg").symlink_to("box/hop.jpg")
    (root / "box" / "hop.jpg").symlink_to("../outside.jpg")
    (tmp_path / "by-link").symlink_to(root)
    for uri in (str(root), f"{tmp_path}/by-link", f"file://{root}/**/*.jpg"):
        problems = {record.key: record.problem for record in list_records(SourceSpec("files", uri))}
        refused = {key for key, problem in problems.items() if problem.startswith("link_outside: ")}
        assert refused == {"outside.jpg", "beside.jpg", "twice.jpg", "box/hop.jpg"}
        assert set(problems) - refused == {"inside.jpg", "box/a.jpg"}
        assert not any(problems[key] for key in set(problems) - refused)
    # What the job names itself is meant.
    spec = SourceSpec("files", str(root / "outside.jpg"))
    assert [make_reader(spec).read(record) for record in list_records(spec)] == [b"elsewhere/secret.jpg"]


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_shards_that_are_links_out_of_the_source(tmp_path: Path, kind: SourceKind) -> None:
    root = tmp_path / "shards"
    root.mkdir()
    name = "a.tar" if kind == "webdataset" else "a.parquet"
    (tmp_path / name).write_bytes(b"far")
    (root / name).symlink_to(tmp_path / name)
    (root / f"dangling-{name}").symlink_to("nowhere")
    records = list(list_records(SourceSpec(kind, str(root))))
    assert [record.problem.partition(":")[0] for record in records] == ["link_outside", "dangling_link"]


def test_names_that_are_no_safe_keys_are_problems_and_do_not_stop_the_listing(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(b"x")
    (tmp_path / "back\\slash.jpg").write_bytes(b"x")
    (tmp_path / "new\nline.jpg").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin-\xe9.jpg")).write_bytes(b"x")
    problems = {record.key: record.problem for record in list_records(SourceSpec("files", str(tmp_path)))}
    assert len(problems) == 4
    assert problems.pop("good.jpg") == ""
    assert all(problem.startswith("bad_key: ") for problem in problems.values())


@pytest.mark.parametrize("name", ["aa::b.jpg", "a#b?.jpg", "50%.jpg", "a b.jpg", "[1].jpg", "~x.jpg", "a&b=c;d.jpg"])
def test_odd_names_are_read_as_they_are(place: Folder, name: str) -> None:
    place.write(name, b"this one")
    place.write("aa", b"not this one")
    spec = SourceSpec("files", place.uri, place.options)
    (record,) = list_records(spec)
    assert record.key == name
    assert make_reader(spec).read(record) == b"this one"


def test_a_chain_with_a_cache(tree: Folder) -> None:
    uri = tree.uri if "://" in tree.uri else f"file://{tree.uri}"
    protocol = uri.partition("://")[0]
    spec = SourceSpec("files", f"simplecache::{uri}/box/*.tif", {protocol: dict(tree.options)})
    (record,) = list_records(spec)
    assert (record.key, make_reader(spec).read(record)) == ("a.tif", b"box/a.tif")


def test_images_inside_a_zip(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "box.zip", "w") as archive:
        archive.writestr("a/1.jpg", b"one")
        archive.writestr("b/2.jpg", b"two")
    spec = SourceSpec("files", f"zip://**/*.jpg::file://{tmp_path}/box.zip")
    records = list(list_records(spec))
    reader = make_reader(spec)
    assert {record.key: reader.read(record) for record in records} == {"a/1.jpg": b"one", "b/2.jpg": b"two"}


@pytest.mark.s3
def test_missing_bucket_and_wrong_credentials(s3) -> None:
    with pytest.raises(SourceError, match="bucket"):
        list(list_records(SourceSpec("files", "s3://no-such-bucket-here/scans", s3.options)))
    wrong = s3.options | {"secret": "not-the-secret"}
    with pytest.raises(StorageError, match="credentials are not accepted"):
        list(list_records(SourceSpec("files", s3.bucket("locked"), wrong)))
    assert "not-the-secret" not in repr(SourceSpec("files", "s3://x", wrong))
