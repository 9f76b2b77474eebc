"""A collection of small pictures, and nights of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from click.testing import Result
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.main import app
from pipeline.run import Run, current_run
from pipeline.storage import Folder

FACE = astronaut()[10:290, 90:370]
QUICK: dict[str, Any] = {"restore": {"model": "none"}, "score": {"measures": []}}
"""Nothing is improved and nothing measured: what is tested here is which records are done."""


def wall(number: int, side: int = 40) -> bytes:
    """A small PNG without a face; another one for each number."""
    image = np.random.default_rng(number).integers(90, 140, (side, side + 8, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".png", image)[1])


def face(number: int, side: int = 120) -> bytes:
    """A PNG with one face; another one for each number."""
    image = cv2.resize(FACE, (side, side), interpolation=cv2.INTER_AREA).astype(np.float64)
    image += np.random.default_rng(number).normal(0, 6, image.shape)
    return bytes(cv2.imencode(".png", np.clip(image, 0, 255).astype(np.uint8)[..., ::-1])[1])


@dataclass
class Collection:
    """A source, an output and a job file."""

    root: Path
    blocks: dict[str, Any] = field(default_factory=dict)
    clock: int = 1_700_000_000

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def output(self) -> Path:
        return self.root / "kept"

    def put(self, name: str, data: bytes) -> None:
        """Write a file, with a modification time that no other write has."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.clock += 60
        os.utime(path, (self.clock, self.clock))

    def job(self, **blocks: Any) -> Path:
        """Write the job file."""
        job: dict[str, Any] = {
            "job": "restore",
            "name": "nights",
            "source": {"kind": "files", "uri": "source"},
            "output": {"uri": "kept"},
            "selection": {},
            "run": {"runner": "local", "isolate": False, "unit_records": 10, "samples": 0},
        }
        for block, values in {**QUICK, **self.blocks, **blocks}.items():
            if values is None:
                job.pop(block, None)
            else:
                job[block] = {**job.get(block, {}), **values}
        path = self.root / "nights.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def call(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    def night(self, *options: str, code: int | None = None, **blocks: Any) -> dict[str, Any]:
        """Run a night; what it says of itself."""
        result = self.call("run", self.job(**blocks), *options)
        assert result.exit_code in ((0, 3) if code is None else (code,)), result.output
        return self.last()

    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.output / "_facejobs" / "last-night.json").read_text())
        return found

    def run(self) -> Run:
        run = current_run(Folder(str(self.output)))
        assert run is not None
        return run

    def runs(self) -> set[str]:
        return {path.name for path in (self.output / "_facejobs" / "runs").iterdir()}

    def catalog(self) -> dict[str, dict[str, Any]]:
        """Every row of the catalogue, by key."""
        result = self.call("catalog", self.output, "--where", "true", "--json")
        assert result.exit_code == 0, result.output
        return {row["key"]: row for row in map(json.loads, result.stdout.splitlines())}

    def sums(self) -> dict[str, Any]:
        result = self.call("catalog", self.output, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def history(self, key: str) -> list[dict[str, Any]]:
        result = self.call("catalog", self.output, key, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, list[dict[str, Any]]] = json.loads(result.stdout)
        return found[key]

    def derivatives(self) -> dict[str, str]:
        """SHA-256 of every file beside the ledger."""
        return {
            str(path.relative_to(self.output)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.output.rglob("*"))
            if path.is_file() and "_facejobs" not in path.parts
        }


def due(account: Mapping[str, Any]) -> dict[str, int]:
    """Causes that occurred."""
    return {cause: count for cause, count in account["due"].items() if count}


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return Collection(tmp_path)
