"""Shards as the library `webdataset` reads them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset as wds
from PIL import Image

from .bed import built, pixels_of

# The library leaves the files of its shards to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_webdataset_reads_pairs_and_records(tmp_path: Path) -> None:
    bed = built(tmp_path, "webdataset")
    found = {}
    for split, keys in bed.keys().items():
        shards = [str(path) for path in sorted(bed.out.glob(f"{split}-*.tar"))]
        data = wds.WebDataset(shards, shardshuffle=False).decode("rgb8").to_tuple("__key__", "lq.png", "gt.png", "json")
        for key, degraded, target, record in data:
            found[key] = split
            expected = pixels_of(key)
            np.testing.assert_array_equal(degraded, expected[0])
            np.testing.assert_array_equal(target, expected[1])
            assert (record["key"], record["split"]) == (key, split)
        assert sorted(key for key, place in found.items() if place == split) == keys


def test_webdataset_reads_masks(tmp_path: Path) -> None:
    bed = built(tmp_path, "webdataset")
    shards = [str(path) for path in sorted(bed.out.glob("val-*.tar"))]
    found = list(wds.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("__key__", "mask.png"))
    assert len(found) == 4
    for key, mask in found:
        assert isinstance(mask, Image.Image)
        np.testing.assert_array_equal(np.asarray(mask.convert("L")), pixels_of(key)[2])


@pytest.mark.parametrize("masks", [True, False])
def test_a_shard_holds_whole_samples_in_the_order_of_their_hashes(tmp_path: Path, masks: bool) -> None:
    bed = built(tmp_path, "webdataset", masks=masks)
    assert sorted(bed.objects()) == [
        *(f"train-{number:06d}.tar" for number in range(3)),
        "val-000000.tar",
    ]
    fields = ["lq.png", "gt.png", *(["mask.png"] if masks else []), "json"]
    for name in bed.objects():
        with tarfile.open(bed.out / name) as tar:
            members = tar.getmembers()
        keys = list(dict.fromkeys(one.name.partition(".")[0] for one in members))
        assert keys == sorted(keys, key=lambda key: hashlib.sha256(key.encode()).hexdigest())
        assert [one.name for one in members] == [f"{key}.{field}" for key in keys for field in fields]
        assert all(
            (one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode, one.pax_headers)
            == (0, 0, 0, "", "", 0o644, {})
            for one in members
        )


def test_hashes_in_records_are_those_of_the_members(tmp_path: Path) -> None:
    bed = built(tmp_path, "webdataset")
    with tarfile.open(bed.out / "val-000000.tar") as tar:
        data = {one.name: (tar.extractfile(one) or pytest.fail()).read() for one in tar}
    for name in [name for name in data if name.endswith(".json")]:
        record = json.loads(data[name])
        for side, field in (("degraded", "lq"), ("target", "gt"), ("mask", "mask")):
            picture = data[name.replace("json", f"{field}.png")]
            assert hashlib.sha256(picture).hexdigest() == record[side]["sha256"]
