"""A job over four small pictures and a broken one, run in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image
from typer.testing import CliRunner, Result

from jobs.main import app


@dataclass
class SmallJob:
    """A folder with `in/`, and jobs over it."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "prints.yaml"

    @property
    def run_folder(self) -> Path:
        (folder,) = (self.root / "out/_facejobs/runs").iterdir()
        return folder

    def fill(self, *, broken: bool = True, pictures: int = 4) -> None:
        (self.root / "in").mkdir()
        for number in range(pictures):
            pixels = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(self.root / f"in/{number}.png")
        if broken:
            (self.root / "in/notes.jpg").write_bytes(b"Box 2 was moved to the second floor in 1974.\n")

    def write(self, **blocks: Any) -> Path:
        job = {
            "job": "restore",
            "name": "prints",
            "source": {"kind": "files", "uri": "in"},
            "restore": {"model": "none"},
            "score": {"measures": []},
            "output": {"uri": "out"},
            "run": {"runner": "local", "isolate": False, "unit_records": 2, "samples": 0},
        }
        for name, block in blocks.items():
            job[name] = {**job.get(name, {}), **block} if isinstance(block, dict) else block
        self.path.write_text(yaml.safe_dump(job))
        return self.path

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [arguments[0], str(self.path), *arguments[1:]])
