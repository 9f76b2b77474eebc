"""A train job over six small pictures: a GPEN of 16 px with a few thousand weights, twelve steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load
from typer.testing import CliRunner, Result

from jobs.exits import Exit
from jobs.main import app
from jobs.train.keeper import Keeper
from operators.training.packing import TENSORS, TREE, unpacked

STEPS = 12


@dataclass
class SmallTraining:
    """A folder with `pictures/`, and trainings on them."""

    root: Path
    out: str = "out"

    @property
    def path(self) -> Path:
        return self.root / "train.yaml"

    @property
    def output(self) -> Path:
        return self.root / self.out

    def fill(self, pictures: int = 6) -> None:
        (self.root / "pictures").mkdir()
        for number in range(pictures):
            pixels = np.random.default_rng(number).integers(0, 255, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(
                self.root / f"pictures/{number}.png"
            )

    def write(self, **blocks: Any) -> Path:
        job = {
            "job": "train",
            "name": "small",
            "data": {"kind": "faces", "uri": "pictures", "align": False, "recipes": {"gfpgan": 1}, "held_out": 0.3},
            "model": {"kind": "gpen", "size": 16, "style_dim": 16, "n_mlp": 2, "narrow": 0.03, "judge_narrow": 0.03},
            "objective": {"matching": 1.0},
            "schedule": {"steps": STEPS, "batch": 2, "prior_steps": 3, "every": 3, "path_every": 2},
            "output": {
                "uri": self.out,
                "checkpoint_every": 4,
                "log_every": 2,
                "samples_every": 8,
                "samples": 2,
                "measured": 2,
            },
            "run": {"device": "cpu"},
        }
        for name, block in blocks.items():
            job[name] = {**job.get(name, {}), **block} if isinstance(block, dict) else block
        self.path.write_text(yaml.safe_dump(job))
        return self.path

    def write_new(self, **blocks: Any) -> None:
        output = {
            "uri": self.out,
            "checkpoint_every": 2,
            "log_every": 2,
            "samples_every": 4,
            "samples": 2,
            "measured": 1,
        }
        job = {"job": "train", "name": "small", "output": output, "run": {"device": "cpu"}, **blocks}
        self.path.write_text(yaml.safe_dump(job))

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [arguments[0], str(self.path), *arguments[1:]])

    def interrupted(self, step: int) -> None:
        """Run it, and stop it after a step: what a signal does, without one."""
        done = [0]

        def tell(keeper: Keeper, now: int, row: object) -> None:
            done[0] = now

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Keeper, "tell", tell)
            patch.setattr(Keeper, "stopping", lambda keeper: done[0] >= step)
            result = self.call("run")
        assert result.exit_code == Exit.INTERRUPTED, result.output

    def checkpoints(self) -> list[int]:
        return sorted(int(path.stem) for path in (self.output / "checkpoints").glob("*.json"))

    def state(self, step: int = STEPS) -> Any:
        folder = self.output / f"checkpoints/{step:09d}"
        return unpacked({name: (folder / name).read_bytes() for name in (TENSORS, TREE)})

    def rows(self) -> list[dict[str, Any]]:
        files = sorted((self.output / "curves").iterdir())
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def models(self) -> dict[str, dict[str, torch.Tensor]]:
        files = sorted((self.output / "model").glob("*.safetensors"))
        assert files
        return {file.stem: load(file.read_bytes()) for file in files}

    def model(self) -> dict[str, torch.Tensor]:
        (weights,) = self.models().values()
        return weights


def same(one: SmallTraining, other: SmallTraining) -> None:
    """Weights, state, curve and samples, bit for bit."""
    for name in (TENSORS, TREE):
        place = f"checkpoints/{STEPS:09d}/{name}"
        assert (one.output / place).read_bytes() == (other.output / place).read_bytes(), name
    assert one.rows() == other.rows()
    first, second = one.model(), other.model()
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    sheets = [sorted((training.output / "samples").iterdir()) for training in (one, other)]
    assert [path.name for path in sheets[0]] == [path.name for path in sheets[1]]
    assert [path.read_bytes() for path in sheets[0]] == [path.read_bytes() for path in sheets[1]]
