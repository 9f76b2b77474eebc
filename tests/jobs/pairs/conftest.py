"""A small collection with everything that a survey has to tell apart, and a way to run pairs jobs on it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from skimage import data as pictures
from typer.testing import CliRunner

from jobs.main import app


def portrait(side: int) -> np.ndarray:
    face = pictures.astronaut()[10:290, 90:370]
    return cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)


def encoded(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return buffer.getvalue()


def turned(pixels: np.ndarray) -> bytes:
    """Stored on its side, with the EXIF orientation that a viewer puts right."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(np.ascontiguousarray(np.rot90(pixels)), format="JPEG", quality=95, exif=exif)


@pytest.fixture(scope="session")
def photographs() -> dict[str, bytes]:
    """A portrait, three copies of it, the same person mirrored and turned, a small one, three scenes, one broken."""
    face = portrait(280)
    png = encoded(face, format="PNG")
    mirrored = np.ascontiguousarray(face[:, ::-1])
    return {
        "box1/portrait.png": png,
        "box1/copy.png": png,
        "box2/same.jpg": encoded(face, format="JPEG", quality=80),
        "box2/half.jpg": encoded(portrait(140), format="JPEG", quality=90),
        "box3/mirrored.jpg": encoded(mirrored, format="JPEG", quality=95),
        "box3/turned.jpg": turned(pictures.astronaut()[:330, 30:360]),
        "scenes/cat.png": encoded(pictures.chelsea()[:280, :400], format="PNG"),
        "scenes/coffee.jpg": encoded(pictures.coffee()[:300, :300], format="JPEG", quality=92),
        "scenes/rocket.jpg": encoded(pictures.rocket()[:260, :400], format="JPEG", quality=92),
        "scenes/cut-off.png": png[: len(png) // 2],
    }


@dataclass
class Studio:
    """A folder with a collection in it, and pairs jobs run on that."""

    root: Path
    photographs: Mapping[str, bytes]

    def write(self) -> None:
        for name, data in self.photographs.items():
            path = self.root / "photographs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def job(self, name: str = "pairs", **blocks: Any) -> Path:
        """Write a job file; `output` is a folder of the job's own name."""
        job: dict[str, Any] = {
            "job": "pairs",
            "name": name,
            "source": {"kind": "files", "uri": "photographs"},
            "samples": {"kind": "images", "size": 96},
            "degrade": {"recipe": "gfpgan", "variants": 3},
            "output": {"uri": name, "shard_pairs": 5},
            "run": {"runner": "local", "unit_records": 3, "isolate": False, "samples": 2},
        }
        for block, values in blocks.items():
            whole = block == "samples" and "kind" in values
            job[block] = values if whole else {**job.get(block, {}), **values}
        if job["run"]["runner"] == "ray":
            job["run"].pop("isolate")
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def call(self, *arguments: str | Path) -> Any:
        """A command's result: exit code, standard output and standard error."""
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    def run(self, job: Path, expected: int = 3) -> Any:
        """Run a job; 3 says that an image is in quarantine, as the broken one of the collection is."""
        result = self.call("run", job)
        assert result.exit_code == expected, result.output
        return result

    def status(self) -> dict[str, Any]:
        """What `facejobs status` says of the output."""
        found: dict[str, Any] = json.loads(self.call("status", self.root / "pairs", "--json").stdout)
        return found

    def outputs(self, name: str = "pairs") -> dict[str, bytes]:
        """Everything in a job's output but its ledger."""
        folder = self.root / name
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "_facejobs" not in path.parts
        }

    def run_folder(self, name: str = "pairs") -> Path:
        """The folder of the output's current run."""
        home = self.root / name / "_facejobs"
        return home / "runs" / str(json.loads((home / "current.json").read_text())["run_id"])

    def selection(self, name: str = "pairs") -> dict[str, Any]:
        """What became of the candidates, in numbers."""
        found: dict[str, Any] = json.loads((self.run_folder(name) / "selection.json").read_text())
        return found


@pytest.fixture
def studio(tmp_path: Path, photographs: dict[str, bytes]) -> Studio:
    studio = Studio(tmp_path, photographs)
    studio.write()
    return studio
