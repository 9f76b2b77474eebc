"""The measurement of splits sees what it is there to see, and runs on a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def splits(monkeypatch):
    """The benchmark's module, wherever pytest was started."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import splits

    return splits


def pictures(splits, features, confidence=0.95, sharpness=0.2):
    """Two pictures of each of 40 persons, whose hashes are far from each other."""
    generator = np.random.default_rng(3)
    return [
        splits.Picture(
            f"p{number:03d}",
            f"person-{number // 2}",
            "original",
            feature,
            int(generator.integers(0, 2**63)),
            int(generator.integers(0, 2**63)),
            confidence,
            sharpness,
        )
        for number, feature in enumerate(features)
    ]


def features(persons=40):
    """(2 persons, 128): the pictures of a person point the same way."""
    directions = np.random.default_rng(1).normal(size=(persons, 128))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.repeat(directions, 2, axis=0).astype(np.float32)


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_split_that_holds(splits):
    found = cells(splits.row(splits.Collection.of(pictures(splits, features())), 0.45, True))
    assert found[2:] == ["80 of 80", "40", "0.0 (0)", "0", "40", "2 (2.5%)", "0"]


def test_a_planted_leak_is_counted(splits):
    leaking = features()
    leaking[1::2] = features(200)[80:120]  # each second picture looks like somebody else
    found = cells(splits.row(splits.Collection.of(pictures(splits, leaking)), 0.45, True))
    assert found[5] == "40"
    assert float(found[4].split()[0]) > 5


def test_strangers_in_one_group_are_counted(splits):
    found = cells(splits.row(splits.Collection.of(pictures(splits, features()[:1].repeat(80, axis=0))), 0.45, True))
    assert found[6:] == ["1", "80 (100.0%)", "40"]


def test_pictures_of_nobody_known_are_left_out(splits):
    blurred = pictures(splits, features(), sharpness=0.01)
    sharp = pictures(splits, features())
    collection = splits.Collection.of([*blurred[:20], *sharp[20:]])
    assert cells(splits.row(collection, 0.45, True))[2:4] == ["60 of 80", "30"]
    assert cells(splits.row(collection, 0.45, False))[2:4] == ["80 of 80", "40"]


def test_it_runs_on_a_folder(tmp_path):
    import skimage.data

    for name in ("house-a.jpg", "left-out.jpg"):
        cv2.imwrite(str(tmp_path / name), skimage.data.astronaut()[:, :, ::-1])
    (tmp_path / "heldout.txt").write_text("left-out.jpg\n")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.splits", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 persons, 6 images")
    assert "| original | 1 | 1 | 1 |" in done.stdout


def test_a_folder_without_portraits_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.splits", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert f"{tmp_path}: no portraits found; expected .jpg files" in done.stderr
