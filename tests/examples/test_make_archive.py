"""The demo archive: the same bytes each time, and the kinds of file that it promises."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import pyvips
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BROKEN = {
    "damaged/interrupted-transfer.jpg",
    "glass-negatives/GN-1911-0043.tif",
    "press/WP-1969-118.jpg",
}
SIZE_LIMIT = 6_000_000


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a user does, with a proxy that leads nowhere, so that a download would fail."""
    nowhere = "http://127.0.0.1:9"
    variables = {"http_proxy": nowhere, "https_proxy": nowhere, "PATH": "/usr/bin:/bin"} | environment
    command = [sys.executable, str(EXAMPLES / "make_archive.py"), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=variables, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents(folder).items()}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "archive"
    done = make(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def demo_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


def decodes(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (UnidentifiedImageError, OSError):
        return False
    return True


def test_small_and_in_folders(archive: Path) -> None:
    files = contents(archive)
    assert len(files) == 16
    assert sum(map(len, files.values())) < SIZE_LIMIT
    assert len({name.split("/", maxsplit=1)[0] for name in files}) > 4


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_same_bytes_whatever_the_number_of_threads(archive: Path, tmp_path: Path, threads: str) -> None:
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "VIPS_CONCURRENCY"), threads)
    assert make(tmp_path / "second", **limits).returncode == 0
    assert hashes(tmp_path / "second") == hashes(archive)


def test_the_same_bytes_with_one_opencv_thread(archive: Path, demo_modules: None) -> None:
    from demo_archive import catalogue

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        made = {entry.name: hashlib.sha256(data).hexdigest() for entry, data in catalogue.files()}
    finally:
        cv2.setNumThreads(threads)
    assert made == hashes(archive)


def test_a_second_call_touches_nothing_and_mends_what_changed(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    make(folder)
    changed = folder / "press" / "WP-1969-118.jpg"
    changed.write_bytes(b"changed")
    (folder / "mine.txt").write_text("kept")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    done = make(folder)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert {path for path in before if before[path] != after[path]} == {changed}
    assert "1 of them written" in done.stdout
    assert "mine.txt" in done.stdout
    assert {**hashes(archive), "mine.txt": hashlib.sha256(b"kept").hexdigest()} == hashes(folder)


def test_exactly_three_cannot_be_decoded(archive: Path) -> None:
    assert {name for name, data in contents(archive).items() if not decodes(data)} == BROKEN


def test_the_catalogue_marks_the_broken_ones(demo_modules: None) -> None:
    from demo_archive import catalogue

    assert {entry.name for entry in catalogue.ENTRIES if not entry.readable} == BROKEN
    assert [entry.name for entry in catalogue.ENTRIES] == sorted(entry.name for entry in catalogue.ENTRIES)


def test_broken_ones_are_broken_as_named(archive: Path) -> None:
    assert (archive / "glass-negatives/GN-1911-0043.tif").read_bytes() == b""
    assert "Scan still missing" in (archive / "press/WP-1969-118.jpg").read_text("utf-8")
    cut = archive / "damaged/interrupted-transfer.jpg"
    assert not cut.read_bytes().endswith(b"\xff\xd9")
    with Image.open(cut) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_16_bit_grey_tiff(archive: Path) -> None:
    path = archive / "glass-negatives/GN-1911-0042.tif"
    image = pyvips.Image.new_from_file(str(path))
    assert (image.bands, image.format, image.interpretation) == (1, "ushort", "grey16")
    low_bytes = np.bincount((image.numpy() & 0xFF).ravel(), minlength=256)
    assert (low_bytes > 0).all(), "real 16 bits: every low byte occurs"
    with Image.open(path) as tiff:
        assert tiff.tag_v2[ExifTags.Base.Artist] == "Digitisation Unit"
        assert tiff.tag_v2[ExifTags.Base.DateTime] == "2011:02:14 09:30:00"
        assert "Glass negative 42" in tiff.tag_v2[ExifTags.Base.ImageDescription]
        assert tiff.info["dpi"] == (1200, 1200)


def test_sideways_sepia_jpeg(archive: Path) -> None:
    with Image.open(archive / "albums/album-07/page-12-sepia.jpg") as image:
        exif = image.getexif()
        assert exif[ExifTags.Base.Orientation] == 6
        assert exif[ExifTags.Base.Make] == "Demo Museum"
        assert exif[ExifTags.Base.Model] == "Copy stand 2"
        assert exif[ExifTags.Base.DateTime] == "2011:03:08 10:42:07"
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2011:03:08 10:42:07"
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])).profile
        assert profile.xcolor_space.strip() == "RGB"
        red, _, blue = (np.asarray(image.getchannel(band), np.int16) for band in range(3))
        assert (red - blue).mean() > 20, "brown, not grey"
        assert image.width > image.height, "stored on its side"


def test_cmyk_tiff_with_profile(archive: Path) -> None:
    path = archive / "press/WP-1969-117-proof.tif"
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])).profile
        assert profile.xcolor_space == "CMYK"
        assert "public domain" in profile.copyright
    # Read back through its own profile it is the portrait again: the suit in the lower left is orange.
    screen = pyvips.Image.new_from_file(str(path)).icc_transform("srgb", embedded=True).numpy()
    red, green, blue = screen[-60:, 20:120].reshape(-1, 3).mean(axis=0)
    assert red > green + 60 > blue


def test_png_with_alpha(archive: Path) -> None:
    with Image.open(archive / "miniatures/MIN-0031-oval.png") as image:
        assert image.mode == "RGBA"
        alpha = np.asarray(image.getchannel("A"))
        assert alpha[0, 0] == 0
        assert alpha[image.height // 2, image.width // 2] == 255
        assert len(np.unique(alpha)) > 3


def test_jpeg_2000(archive: Path) -> None:
    data = (archive / "transfers/2003/D2003-0117.jp2").read_bytes()
    # Signature box of ISO/IEC 15444-1, annex I.5.1.
    assert data.startswith(bytes.fromhex("0000000c6a5020200d0a870a"))
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("JPEG2000", "RGB")


def test_upright_jpegs_carry_xmp_and_resolution(archive: Path) -> None:
    with Image.open(archive / "enlargements/head-study-1958.jpg") as image:
        assert image.mode == "L"
        assert b"Head study" in image.info["xmp"]
        assert image.info["dpi"] == (600, 600)


@pytest.mark.parametrize(
    ("container", "names"),
    [
        ("webdataset", {"archive-000000.tar", "archive-000001.tar", "archive-000002.tar"}),
        ("parquet", {"archive.parquet"}),
    ],
)
def test_containers_are_repeatable(tmp_path: Path, container: str, names: set[str]) -> None:
    for folder in ("a", "b"):
        assert make(tmp_path / folder, "--as", container).returncode == 0
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert set(contents(tmp_path / "a")) == names


def test_webdataset_holds_the_same_files(archive: Path, tmp_path: Path) -> None:
    make(tmp_path / "tars", "--as", "webdataset")
    images, sidecars = {}, {}
    for shard in sorted((tmp_path / "tars").iterdir()):
        with tarfile.open(shard) as tar:
            for member in tar:
                extracted = tar.extractfile(member)
                assert extracted is not None
                kind = sidecars if member.name.endswith(".json") else images
                assert member.name not in kind
                kind[member.name] = extracted.read()
                assert (member.mtime, member.uid, member.uname) == (0, 0, "")
    assert images == contents(archive)
    assert {name.rsplit(".", 1)[0] for name in images} == {name.rsplit(".", 1)[0] for name in sidecars}
    assert all("." not in name.rsplit("/", 1)[1].rsplit(".", 1)[0] for name in images), "WebDataset keys end at a dot"
    assert json.loads(sidecars["enlargements/head-study-1958.json"])["artist"] == "Studio Archive"


def test_parquet_holds_the_same_files(archive: Path, tmp_path: Path) -> None:
    make(tmp_path / "table", "--as", "parquet")
    file = pq.ParquetFile(tmp_path / "table" / "archive.parquet")
    assert file.num_row_groups > 1
    rows = file.read().to_pylist()
    assert {row["key"]: row["image"] for row in rows} == contents(archive)
    assert all(row["title"] and row["artist"] and row["taken"] for row in rows)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = make(tmp_path / "file" / "archive")
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    done = make(tmp_path / "archive", "--as", "zip")
    assert done.returncode == 2
    assert "webdataset" in done.stderr
    assert not (tmp_path / "archive").exists()
