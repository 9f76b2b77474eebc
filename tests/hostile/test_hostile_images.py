"""Hundreds of bad images through the real command: none ends it, each is accounted for, healthy ones are untouched."""

from __future__ import annotations

import os
import socket
from collections import Counter

import pytest
from corpus import DEADLY, SEED, bad_images, good_images
from damage import flipped, not_images, truncated
from watched import SECRET, Result, World

LIMITS = {
    "max_bytes": "16 MiB",
    "max_pixels": 80_000_000,
    "max_side": 65_000,
    "max_ratio": 500,
    "max_frames": 100,
}
SENSIBLE = {
    "corrupt",
    "empty_file",
    "multi_page",
    "not_an_image",
    "too_large",
    "too_many_frames",
    "too_small",
    "truncated",
    "unsupported_colour",
    "unsupported_format",
    "unsupported_target",
}
# What a file that was forged for it must be told apart as. The others may get any sensible code, or pass.
CAUSES = {
    "corrupt": (
        *("jpeg-zero-height.jpg", "jpeg-many-comments.jpg", "jpeg-many-bare-markers.jpg", "jpeg-length-0.jpg"),
        *("png-zero-width.png", "png-million-chunks.png", "png-profile-bomb.png", "png-text-bomb.png"),
        *("png-text-bombs.png", "png-xmp-bomb.png", "webp-many-chunks.webp", "webp-lossless-version.webp"),
        *("tiff-zero-width.tif", "tiff-self-loop.tif", "tiff-loop-of-two.tif", "tiff-loop-below.tif", "tiff-tree.tif"),
        *("tiff-tile-huge.tif", "tiff-tile-bomb.tif", "tiff-strip-bomb.tif", "tiff-numbers-listed.tif"),
        *("jpeg-scan-bomb.jpg", "jp2-box-length-2.jp2", "jp2-box-long-15.jp2", "jp2-box-long-0.jp2"),
        *("jp2-many-boxes.jp2", "j2k-negative.j2k", "j2k-tiles-0.j2k", "j2k-tiles-of-1-by-the-million.j2k"),
        *("j2k-precincts-of-1.j2k", "j2k-precincts-of-2.j2k", "j2k-levels-255.j2k", "heif-many-boxes.avif"),
        *("jp2-sides-other.jp2", "webp-canvas-largest.webp"),
    ),
    "too_large": (
        *("jpeg-largest.jpg", "jpeg-large-and-empty.jpg", "png-largest.png", "png-negative.png", "png-wide.png"),
        *("png-large-and-empty.png", "png-one-colour-by-ratio.png", "png-one-colour-by-pixels.png"),
        *("tiff-huge-sides.tif", "tiff-large-sides.tif", "webp-largest-lossy.webp", "webp-largest-lossless.webp"),
        *("j2k-largest.j2k", "j2k-large-and-empty.j2k"),
    ),
    "too_many_frames": (
        *("tiff-million-pages.tif", "tiff-5000-pages.tif", "webp-thousand-frames.webp", "webp-empty-frames.webp"),
    ),
    "multi_page": ("tiff-90-pages.tif", "webp-two-frames.webp", "png-animated-claims.png", "several.tiff"),
    "truncated": ("jp2-box-length-largest.jp2", "j2k-no-end.j2k", "png-chunk-largest.png", "tiff-strip-beyond.tif"),
    "unsupported_format": ("several.gif", "several.bmp"),
    "ok": ("tiff-bytes-listed.tif", "jpeg-few-thousand-comments.jpg", "png-data-in-empty-chunks.png"),
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The healthy images in a job of their own."""
    world = World(tmp_path_factory.mktemp("alone"))
    world.write(good_images())
    return world.run(world.job("out", {"kind": "files", "include": ["*"], "limits": LIMITS}))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The healthy images among all the bad ones."""
    world = World(tmp_path_factory.mktemp("together"))
    world.write({name: data for name, data in bad_images().items() if name not in DEADLY})
    world.write(good_images())
    result = world.run(world.job("out", {"kind": "files", "include": ["*"], "limits": LIMITS}))
    print_counts(result)
    return result


def print_counts(result: Result) -> None:
    """Shown with `pytest -s` or when a test fails: the figures of docs/reliability.md."""
    table = Counter((fate.key.rsplit(".", 1)[-1], fate.code) for fate in result.fates)
    for (suffix, code), count in sorted(table.items()):
        print(f"{suffix:6} {code:20} {count}")


def test_the_corpus_is_large_and_the_same_each_time() -> None:
    files = bad_images()
    assert len(files) >= 300
    assert (truncated() | flipped(SEED) | not_images(SEED)).items() <= files.items()
    assert len(good_images()) >= 30


def test_the_job_ends_as_one_with_records_in_quarantine(together: Result, alone: Result) -> None:
    assert (alone.code, together.code) == (3, 3), together.noise[-2000:]  # alone: AVIF is read but not written
    assert "Traceback" not in together.noise


def test_every_record_is_accounted_for_with_its_true_cause(together: Result) -> None:
    expected = {*bad_images(), *good_images()} - DEADLY
    assert set(together.outcomes) == expected
    assert set(together.codes) <= SENSIBLE | {"ok"}
    wrong = [fate for fate in together.fates if fate.code not in SENSIBLE | {"ok"}]
    assert not wrong
    assert all(fate.message for fate in together.fates if fate.code != "ok")
    truth = {f"forged/{name}": code for code, names in CAUSES.items() for name in names}
    found = together.outcomes
    assert {name: found[name] for name in truth} == truth


def test_a_file_that_broke_off_is_never_taken_for_a_whole_one(together: Result) -> None:
    cut = {key: code for key, code in together.outcomes.items() if "-cut" in key}
    assert len(cut) >= 100
    assert set(cut.values()) <= {"truncated", "corrupt", "not_an_image"}


def test_healthy_images_are_restored_as_if_alone(together: Result, alone: Result) -> None:
    good = {key for key in good_images() if alone.outcomes[key] == "ok"}
    assert len(good) >= 30
    assert alone.outcomes == {key: together.outcomes[key] for key in good_images()}
    for key in good:
        assert alone.outputs[key] == together.outputs[key]
        records = [result.outputs[f"{key}.json"].replace(b"/together0/", b"/alone0/") for result in (alone, together)]
        assert records[0] == records[1]


def test_memory_is_bounded_by_the_limits_and_not_by_what_files_claim(together: Result, alone: Result) -> None:
    """The largest picture that the limits let pass has 80 million pixels; a copy of it, and what decoders keep."""
    assert together.peak < alone.peak + 500


def test_names_links_and_things_that_are_no_files(world: World) -> None:
    good = dict(list(good_images().items())[:2])
    data = next(iter(good.values()))
    names = {
        "A/print.jpg": "ok",
        "a/PRINT.jpg": "duplicate_name",
        "box/cafe\u0301.jpg": "ok",  # comes before the composed form in the order of code points
        "box/caf\u00e9.jpg": "duplicate_name",
        "box/new\nline.jpg": "bad_key",
        "box/bell\x07.jpg": "bad_key",
        "box/back\\slash.jpg": "bad_key",
        "box/" + "x" * 251 + ".jpg": "bad_name",
        "C:/drive.jpg": "bad_key",
        "_FaceJobs/x.jpg": "bad_key",
    }
    world.write(dict.fromkeys(names, data))
    root = world.root / "in"
    (root / "link-inside.jpg").symlink_to("A/print.jpg")
    (root / "link-outside.jpg").symlink_to(world.root / "elsewhere" / "secret.jpg")
    (root / "link-passwd.jpg").symlink_to("/etc/passwd")
    (root / "link-dangling.jpg").symlink_to("nowhere.jpg")
    (root / "link-loop.jpg").symlink_to("link-loop.jpg")
    (root / "link-folder").symlink_to(world.root / "elsewhere")
    (root / "folder.jpg").mkdir()
    (root / "odd.jpg").write_bytes(data)
    os.mkfifo(root / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(root / "socket.jpg"))
    # With a measure that ONNX Runtime takes, which would report its use to its makers and leave an identifier at home.
    result = world.run(world.job("out", {"kind": "files"}, score={"measures": ["identity"]}))
    links = {"link-inside.jpg": "ok", "link-outside.jpg": "link_outside", "link-passwd.jpg": "link_outside"}
    links |= {"link-dangling.jpg": "dangling_link", "link-loop.jpg": "dangling_link", "odd.jpg": "ok"}
    assert result.outcomes == names | links
    assert (result.code, "Traceback" in result.noise) == (3, False)
    assert "2 other objects were left out: not a file" in result.noise
    assert not any(SECRET in data for data in result.outputs.values())
