"""`aligned` as pix2pix reads it, `unpaired` as CycleGAN does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pairs.formats.aligned import AlignedFormat, halves
from jobs.pairs.formats.contract import PairFiles
from jobs.pairs.formats.unpaired import UnpairedFormat
from jobs.pairs.making import png
from pipeline.quarantine import standing

from .bed import built, pixels_of


def make_dataset(folder: Path) -> list[Path]:
    """As `data/image_folder.py` of both: every picture below a folder, sorted."""
    found = [Path(root, name) for root, _, names in sorted(os.walk(folder)) for name in names]
    return sorted(path for path in found if path.suffix.lower() in {".jpg", ".png", ".tif", ".bmp"})


def aligned_item(path: Path) -> tuple[Image.Image, Image.Image]:
    """As `data/aligned_dataset.py`."""
    both = Image.open(path).convert("RGB")
    width, height = both.size
    middle = int(width / 2)
    return both.crop((0, 0, middle, height)), both.crop((middle, 0, width, height))


def test_pix2pix_reads_pairs(tmp_path: Path) -> None:
    bed = built(tmp_path, "aligned", scale=1)
    for split, keys in bed.keys().items():
        paths = make_dataset(bed.out / split)
        assert [path.stem for path in paths] == keys
        for path in paths:
            left, right = aligned_item(path)
            degraded, target, _ = pixels_of(path.stem, 1)
            np.testing.assert_array_equal(np.asarray(left), degraded)
            np.testing.assert_array_equal(np.asarray(right), target)
    assert {name.split("/")[0] for name in bed.objects()} == {"train", "val", "records"}


def test_cyclegan_reads_two_sets(tmp_path: Path) -> None:
    bed = built(tmp_path, "unpaired")
    for split, keys in bed.keys().items():
        for side, place in (("A", 0), ("B", 1)):
            paths = make_dataset(bed.out / f"{split}{side}")
            assert [path.stem for path in paths] == [key for key in keys if int(key[:7]) % 2 == 1 - place]
            for path in paths:
                pixels = np.asarray(Image.open(path).convert("RGB"))
                np.testing.assert_array_equal(pixels, pixels_of(path.stem)[place])
                assert (bed.out / f"records/{split}{side}/{path.stem}.json").exists()


def test_sides_of_two_sizes_say_what_the_recipe_lacks(tmp_path: Path) -> None:
    bed = built(tmp_path, "aligned", scale=2)
    rows = list(standing(bed.run))
    assert len(rows) == 15
    assert {row.code for row in rows} == {"size_mismatch"}
    assert "has 24 x 20 pixels and the target 48 x 40" in rows[0].message
    assert "`resize` with `of: original`" in rows[0].message
    assert bed.objects() == {}


def test_halves_are_what_was_put_together() -> None:
    degraded, target = (png(one) for one in pixels_of("0000001-000", 1)[:2])
    (picture, _) = AlignedFormat().artifacts(PairFiles("n", "train", "both", degraded, target, None, b"{}"))
    assert halves(picture.data) == (degraded, target)


def test_one_side_alone_is_no_pair() -> None:
    only = PairFiles("n", "train", "A", png(pixels_of("0000001-000")[0]), None, None, b"{}")
    with pytest.raises(ValueError, match="only side A"):
        AlignedFormat().artifacts(only)
    with pytest.raises(ValueError, match="side 'both'"):
        UnpairedFormat().artifacts(PairFiles("n", "train", "both", b"x", b"y", None, b"{}"))
    broken = PairFiles("n", "train", "both", b"no png", b"no png", None, b"{}")
    with pytest.raises(ValueError, match="cannot read the PNG"):
        AlignedFormat().artifacts(broken)
