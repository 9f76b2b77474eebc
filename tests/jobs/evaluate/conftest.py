"""A few versions of one real face, pairs made of them, and the command that measures."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from skimage import data
from typer.testing import CliRunner, Result

from jobs.main import app

SIDE = 128


def picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8, RGB."""
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1])


def put(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(pixels[..., ::-1]))


def face(number: int) -> np.ndarray:
    """The astronaut's face: brighter with each number, every other one mirrored."""
    crop = cv2.resize(data.astronaut()[20:236, 120:336], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    toned = np.clip(crop * (0.75 + 0.06 * number), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(toned[:, ::-1] if number % 2 else toned)


@dataclass
class Bench:
    """A folder with `truth/` and `made/` of it."""

    root: Path

    def fill(self, count: int = 5) -> None:
        for number in range(count):
            put(self.root / f"truth/box/{number}.png", face(number))
            put(self.root / f"made/box/{number}.png", cv2.GaussianBlur(face(number), (0, 0), 0.8 + 0.3 * number))

    def call(self, *arguments: str, out: str = "out") -> Result:
        place = out if "://" in out else str(self.root / out)
        result = CliRunner().invoke(app, ["evaluate", *arguments, "--out", place])
        assert "Traceback" not in result.output
        return result

    def result(self, out: str = "out") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / out / "evaluation.json").read_text())
        return found

    def rows(self, out: str = "out") -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.root / out / "evaluation.csv").read_text())))

    def column(self, measure: str, method: str, out: str = "out") -> dict[str, float]:
        """By picture, what was measured."""
        return {
            row["picture"]: float(row[measure]) for row in self.rows(out) if row["method"] == method and row[measure]
        }


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    made = Bench(tmp_path)
    made.fill()
    return made


def pairs_job(root: Path, form: str, **blocks: Any) -> Path:
    job: dict[str, Any] = {
        "job": "pairs",
        "name": form,
        "source": {"kind": "files", "uri": "truth"},
        "samples": {"kind": "images", "size": SIDE},
        "degrade": {"recipe": "gfpgan", "variants": 1},
        "filter": {"duplicates": "keep"},
        "split": {"by": "source", "parts": {"train": 0.4, "val": 0.6}},
        "output": {"uri": form, "format": form},
        "run": {"runner": "local", "isolate": False, "samples": 0},
    }
    path = root / f"{form}.yaml"
    path.write_text(yaml.safe_dump({**job, **blocks}))
    return path


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same pairs in every format; nothing may be written in it."""
    root = tmp_path_factory.mktemp("pairs")
    Bench(root).fill(8)
    before = Path.cwd()
    os.chdir(root)
    try:
        for form in ("folders", "webdataset", "parquet", "aligned", "lmdb"):
            result = CliRunner().invoke(app, ["run", str(pairs_job(root, form))])
            assert result.exit_code == 0, result.output
    finally:
        os.chdir(before)
    return root
