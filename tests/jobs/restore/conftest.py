"""A small archive with everything that the flow has to tell apart, and a way to run jobs on it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.main import app

GOOD = ("box1/print.jpg", "box1/plate.tif", "box2/miniature.png", "box2/wall.png")
BAD = ("box2/cut-off.jpg", "notes.jpg", "empty.tif")


def portrait(side: int) -> np.ndarray:
    face = astronaut()[10:290, 90:370]
    return cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)


def grain(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, sigma, image.shape)
    return np.clip(image.astype(np.float64) + noise, 0, 255).astype(np.uint8)


def encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Name to bytes: a JPEG, a 16-bit grey TIFF, a PNG with alpha, a PNG without a face, and three that are broken."""
    face = portrait(200)
    jpeg = encoded(Image.fromarray(grain(face, 12)), format="JPEG", quality=85)
    grey = cv2.cvtColor(grain(portrait(240), 8), cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    alpha = np.dstack([grain(portrait(180), 6), np.full((180, 180), 200, np.uint8)])
    wall = np.random.default_rng(2).integers(90, 140, (120, 160, 3), dtype=np.uint8)
    return {
        "box1/print.jpg": jpeg,
        "box1/plate.tif": encoded(Image.fromarray(grey), format="TIFF"),
        "box2/miniature.png": encoded(Image.fromarray(alpha), format="PNG"),
        "box2/wall.png": encoded(Image.fromarray(wall), format="PNG"),
        "box2/cut-off.jpg": jpeg[: len(jpeg) // 2],
        "notes.jpg": b"Box 2 was moved to the second floor in 1974.\n",
        "empty.tif": b"",
    }


@dataclass
class Bench:
    """A folder with an archive in it, and jobs run on that."""

    root: Path
    files: Mapping[str, bytes]

    def write(self) -> Path:
        for name, data in self.files.items():
            path = self.root / "archive" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return self.root / "archive"

    def job(self, name: str = "job", **blocks: Any) -> Path:
        """Write a job file; `output` is a folder of the job's own name."""
        job = {
            "job": "restore",
            "name": name,
            "source": {"kind": "files", "uri": "archive"},
            "restore": {"model": "classic"},
            "output": {"uri": name},
            "run": {"runner": "local", "unit_records": 3, "isolate": False},
        }
        for block, values in blocks.items():
            job[block] = {**job.get(block, {}), **values}  # type: ignore[dict-item]
        if job["run"]["runner"] == "ray":  # type: ignore[index]
            job["run"].pop("isolate")  # type: ignore[attr-defined]
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def call(self, *arguments: str | Path) -> Any:
        """A command's result: exit code, standard output and standard error."""
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    def status(self, place: str | Path) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.call("status", place, "--json").stdout)
        return status

    def outputs(self, name: str) -> dict[str, bytes]:
        folder = self.root / name
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "_facejobs" not in path.parts
        }


@pytest.fixture
def bench(tmp_path: Path, files: dict[str, bytes]) -> Bench:
    bench = Bench(tmp_path, files)
    bench.write()
    return bench


def as_tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def as_parquet(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"key": sorted(files), "image": [files[name] for name in sorted(files)]})
    pq.write_table(table, buffer, row_group_size=2)
    return buffer.getvalue()


Containers = dict[str, Callable[[Mapping[str, bytes]], bytes]]
CONTAINERS: Containers = {"webdataset": as_tar, "parquet": as_parquet}
