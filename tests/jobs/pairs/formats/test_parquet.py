"""Parquet with a dataset card, as Hugging Face `datasets` reads them; and its reader of folders of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from jobs.pairs.formats.card import size_category
from jobs.pairs.formats.licences import licence_fields

from .bed import Bed, built, keys_of, pixels_of


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The library, with a cache of its own and without a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
        patch.setenv("HF_DATASETS_OFFLINE", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        datasets.disable_progress_bars()
        yield datasets


def check(rows: Any, keys: list[str], names: tuple[str, ...] = ("lq", "gt", "mask")) -> None:
    assert [row["key"] for row in rows] == keys
    for row in rows:
        for name, pixels in zip(("lq", "gt", "mask"), pixels_of(row["key"]), strict=True):
            if name in names:
                assert isinstance(row[name], Image.Image)
                np.testing.assert_array_equal(np.asarray(row[name]), pixels)
        assert json.loads(row["record"])["key"] == row["key"]


def test_the_cards_configuration_loads(tmp_path: Path, datasets: ModuleType) -> None:
    bed = built(tmp_path, "parquet")
    data = datasets.load_dataset(str(bed.out), cache_dir=str(tmp_path / "cache"))
    assert sorted(data) == ["train", "val"]
    for split, keys in bed.keys().items():
        assert data[split].column_names == ["key", "lq", "gt", "mask", "record"]
        check(data[split], keys)


def test_the_files_alone_load_with_their_features(tmp_path: Path, datasets: ModuleType) -> None:
    bed = built(tmp_path, "parquet", masks=False)
    data = datasets.load_dataset("parquet", data_dir=str(bed.out / "data"), cache_dir=str(tmp_path / "cache"))
    assert sorted(data) == ["train", "validation"]  # its own word for what files are called val
    assert data["train"].features["lq"] == datasets.Image()
    check(data["train"], bed.keys()["train"], ("lq", "gt"))
    streamed = datasets.load_dataset(str(bed.out), split="val", streaming=True)
    check(list(streamed), bed.keys()["val"], ("lq", "gt"))


def test_imagefolder_reads_the_folders(tmp_path: Path, datasets: ModuleType) -> None:
    bed = built(tmp_path, "folders", masks=False)
    folder = bed.out / "val"
    data = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert data.features["label"].names == ["gt", "lq"]
    assert len(data) == 8
    aligned = built(tmp_path / "aligned", "aligned", scale=1)
    data = datasets.load_dataset(
        "imagefolder", data_dir=str(aligned.out / "val"), split="train", cache_dir=str(tmp_path / "cache")
    )
    for key, row in zip(aligned.keys()["val"], data, strict=True):
        degraded, target, _ = pixels_of(key, 1)
        np.testing.assert_array_equal(np.asarray(row["image"]), np.hstack((degraded, target)))


def test_files_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.pairs.formats.parquet.ROW_GROUP_BYTES", 9_000)
    bed = built(tmp_path, "parquet", mixed=True)
    files = [*(f"data/train-{number:05d}.parquet" for number in range(3)), "data/val-00000.parquet"]
    assert sorted(bed.objects()) == ["README.md", *files]
    for name in files:
        file = pq.ParquetFile(bed.out / name)
        assert file.metadata.num_row_groups == 2
        keys = file.read(columns=["key"])["key"].to_pylist()
        assert keys == sorted(keys)
        columns = {file.metadata.row_group(0).column(place).path_in_schema: place for place in range(9 - 1)}
        assert file.metadata.row_group(0).column(columns["lq.bytes"]).compression == "UNCOMPRESSED"
        assert file.metadata.row_group(0).column(columns["record"]).compression == "ZSTD"


def test_the_card_says_what_was_made(tmp_path: Path) -> None:
    stuck = frozenset({keys_of("train", 11)[4]})
    bed = built(tmp_path, "parquet", stuck=stuck)
    text = (bed.out / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "license": "cc0-1.0",
        "pretty_name": "prints",
        "task_categories": ["image-to-image"],
        "tags": ["image-restoration", "facejobs"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train-*.parquet"},
                    {"split": "val", "path": "data/val-*.parquet"},
                ],
            }
        ],
        "dataset_info": {
            "features": [
                {"name": "key", "dtype": "string"},
                {"name": "lq", "dtype": "image"},
                {"name": "gt", "dtype": "image"},
                {"name": "mask", "dtype": "image"},
                {"name": "record", "dtype": "string"},
            ]
        },
    }
    assert "14 pairs of degraded and good pictures" in body
    assert "| train | 10 | 6 |\n| val | 4 | 2 |\n" in body
    for said in ("`s3://archive/prints`", "recipe: blur\nsteps: []\n", "the seed 7", '"format": "parquet"', "CC0-1.0"):
        assert said in body
    bed.retry()
    bed.drive()
    assert "| train | 11 | 6 |" in (bed.out / "README.md").read_text()


def test_a_retrys_file_is_loaded_with_the_others(tmp_path: Path, datasets: ModuleType) -> None:
    keys = keys_of("train", 11)
    bed = built(tmp_path, "parquet", stuck=frozenset({keys[4]}))
    bed.retry()
    bed.drive()
    data = datasets.load_dataset(str(bed.out), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(data["key"]) == list(keys)


def test_masks_are_null_where_there_is_no_damage(tmp_path: Path, datasets: ModuleType) -> None:
    """A shard of pairs none of which has a mask has the same columns as all others."""
    bed = Bed(tmp_path, "parquet", splits={"train": 6}, shard_pairs=2)
    without = keys_of("train", 6)[:3]
    artifacts = type(bed.made).artifacts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(bed.made),
            "artifacts",
            lambda self, pair: [
                one for one in artifacts(self, pair) if pair.name not in without or "mask" not in one.name
            ],
        )
        assert bed.drive().state == "complete"
    data = datasets.load_dataset(str(bed.out), split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["key"] for row in data if row["mask"] is None] == list(without)


@pytest.mark.parametrize(
    ("licence", "fields"),
    [
        (None, {"license": "unknown"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("ODbL-1.0", {"license": "odbl"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("Research only, see below", {"license": "other", "license_name": "research-only-see-below"}),
        ("CC-BY-4.0 AND MIT", {"license": "other", "license_name": "cc-by-4.0-and-mit"}),
        ("非公開", {"license": "other", "license_name": "other"}),
    ],
)
def test_licences(licence: str | None, fields: dict[str, str]) -> None:
    assert licence_fields(licence) == fields


@pytest.mark.parametrize(
    ("count", "word"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12, "n>1T")],
)
def test_sizes(count: int, word: str) -> None:
    assert size_category(count) == word
