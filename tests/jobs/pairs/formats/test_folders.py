"""Folders with a list, as BasicSR's PairedImageDataset reads them, in a PyTorch DataLoader."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .bed import built, keys_of, pixels_of


class PairedImages(Dataset[dict[str, object]]):
    """As `basicsr.data.paired_image_dataset` with `meta_info_file` and `filename_tmpl: '{}'`."""

    def __init__(self, lq: Path, gt: Path, meta_info: Path) -> None:
        names = [line.strip().split(" ")[0] for line in meta_info.read_text().splitlines()]
        self.paths = [(lq / f"{Path(name).stem}{Path(name).suffix}", gt / name) for name in names]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, object]:
        lq, gt = (_tensor(path) for path in self.paths[index])
        return {"lq": lq, "gt": gt, "key": self.paths[index][1].stem}


def _tensor(path: Path) -> torch.Tensor:
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1))).float() / 255.0


def test_a_data_loader_reads_pairs(tmp_path: Path) -> None:
    bed = built(tmp_path, "folders")
    for split, keys in bed.keys().items():
        data = PairedImages(bed.out / split / "lq", bed.out / split / "gt", bed.out / split / "meta_info.txt")
        found = []
        for batch in DataLoader(data, batch_size=3):
            found.extend(batch["key"])
            assert batch["lq"].shape[1:] == (3, 20, 24)
            assert batch["gt"].shape[1:] == (3, 40, 48)
            for place, key in enumerate(batch["key"]):
                degraded, target, _ = pixels_of(key)
                for name, pixels in (("lq", degraded), ("gt", target)):
                    read = (batch[name][place] * 255.0).round().byte().numpy().transpose(1, 2, 0)
                    np.testing.assert_array_equal(read, pixels)
        assert found == keys


def test_lists_have_the_targets_sizes_by_name(tmp_path: Path) -> None:
    bed = built(tmp_path, "folders", mixed=True)
    for split, keys in bed.keys().items():
        text = (bed.out / split / "meta_info.txt").read_text()
        assert text == "".join(f"{key}.png (40,48,3)\n" for key in keys)


def test_objects(tmp_path: Path) -> None:
    bed = built(tmp_path, "folders", splits={"train": 1})
    (key,) = keys_of("train", 1)
    assert sorted(bed.objects()) == [
        f"records/train/{key}.json",
        f"train/gt/{key}.png",
        f"train/lq/{key}.png",
        f"train/mask/{key}.png",
        "train/meta_info.txt",
    ]
    assert "train/mask" not in " ".join(built(tmp_path / "without", "folders", masks=False).objects())


def test_pairs_in_quarantine_are_not_listed(tmp_path: Path) -> None:
    keys = keys_of("train", 3)
    bed = built(tmp_path, "folders", splits={"train": 3}, stuck=frozenset({keys[1]}))
    lines = (bed.out / "train/meta_info.txt").read_text().splitlines()
    assert [line.split(".")[0] for line in lines] == [keys[0], keys[2]]
    bed.retry()
    bed.drive()
    lines = (bed.out / "train/meta_info.txt").read_text().splitlines()
    assert [line.split(".")[0] for line in lines] == list(keys)
