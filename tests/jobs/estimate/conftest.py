"""A few small portraits of different sizes, and jobs on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.main import app

CLUSTER = {
    "nodes": [{"name": "worker", "count": 4, "cpus": 16, "memory": "64 GiB", "price_per_hour": 0.75}],
    "currency": "EUR",
    "storage_price": 0.02,
    "request_price": 0.005,
}


@dataclass
class Shelf:
    """A folder with an archive in it, and commands on jobs there."""

    root: Path

    def job(self, kind: str = "restore", name: str = "job", *, scored: bool = False, **blocks: Any) -> Path:
        """Write a job file; `output` is a folder of the job's own name. Faces are found, and restored where scored."""
        job: dict[str, Any] = {
            "job": kind,
            "name": name,
            "source": {"kind": "files", "uri": "archive"},
            "output": {"uri": name},
            "run": {"runner": "local", "unit_records": 4, "isolate": False, "samples": 1},
        }
        if kind == "pairs":
            job |= {"samples": {"kind": "images", "size": 64}, "degrade": {"recipe": "gfpgan", "variants": 2}}
            job["split"] = {"by": "source"}
        elif not scored:
            job |= {"restore": {"model": "none"}, "score": {"measures": []}}
        for block, values in blocks.items():
            job[block] = {**job.get(block, {}), **values}
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def call(self, *arguments: str | Path, expected: int = 0) -> str:
        """A command's standard output."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == expected, result.output
        return result.stdout

    def plan(self, job: Path, *more: str) -> dict[str, Any]:
        """What a plan says as JSON."""
        said: dict[str, Any] = json.loads(self.call("plan", job, "--json", *more))
        return said

    def report(self, name: str = "job", run: str = "*") -> str:
        """The report of the one run below an output."""
        (page,) = (self.root / name / "_facejobs").glob(f"{run}/report.html")
        return page.read_text()


@pytest.fixture(scope="session")
def portraits() -> dict[str, bytes]:
    """Eleven pictures of one face from 60 to 260 pixels, and one that is cut off."""
    face = astronaut()[10:290, 90:370, ::-1]
    made = {}
    for number in range(11):
        side = 60 + 20 * number
        picture = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        made[f"print-{number:02d}.jpg"] = cv2.imencode(".jpg", picture)[1].tobytes()
    return {**made, "torn.jpg": made["print-05.jpg"][:900]}


@pytest.fixture
def shelf(tmp_path: Path, portraits: dict[str, bytes]) -> Shelf:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, data in portraits.items():
        (folder / name).write_bytes(data)
    return Shelf(tmp_path)
