"""The benchmark of batched pairs on a CPU, tiny: the same script and figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def benchmark(*arguments):
    """Run the script from the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_pairs", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_it_measures_both_ways_for_every_recipe(tmp_path):
    done = benchmark("--device", "cpu", "--tiny", "--out", str(tmp_path / "pairs.json"))
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "pairs.json").read_text())["rows"]
    assert len(rows) == 8
    for row in rows:
        assert min(row["cpu"], row["batched"], row["kept"]) > 0
        assert row["least_psnr"] > 40
        assert f"| {row['recipe']} | {row['cpu']:.1f} | {row['batched']:.1f} |" in done.stdout


def test_without_a_gpu_it_says_so():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    done = benchmark()
    assert done.returncode == 2
    assert "no CUDA device" in done.stderr
