"""The benchmark of training pairs: its yardstick does the same work, and it runs."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import stats

from benchmarks.pairs import ours, plain, plain_kernels, plain_steps
from benchmarks.pairs.crew import photograph
from benchmarks.pairs.report import Figures, data, table
from operators.degradations import colour, kernels
from operators.degradations.noise import PoissonNoise

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sample():
    return photograph(96)


@pytest.mark.parametrize("kind", plain.KINDS)
def test_its_kernels_are_ours(kind):
    found = plain_kernels.bell(kind, 21, 2.5, 1.2, 0.7, 1.6)
    assert np.allclose(found, kernels.bell(kind, 21, 2.5, 1.2, 0.7, 1.6), atol=1e-12)


def test_its_sinc_kernel_is_ours():
    assert np.allclose(plain_kernels.circular_lowpass(15, 1.3), kernels.sinc(15, 1.3), atol=1e-12)


def test_its_colours_are_ours(sample):
    image = sample.astype(np.float32) / np.float32(255)
    bgr = np.ascontiguousarray(image[:, :, ::-1])
    size = image.shape[:2]
    for theirs, step in (
        (plain_steps.brightness(bgr, 1.3), colour.Brightness(factor=1.3)),
        (plain_steps.contrast(bgr, 1.4), colour.Contrast(factor=1.4)),
        (plain_steps.saturation(bgr, 0.3), colour.Saturation(factor=0.3)),
        (plain_steps.hue(bgr, -0.08), colour.Hue(turn=-0.08)),
        (plain_steps.grey(bgr), colour.Grey()),
    ):
        assert np.abs(theirs[:, :, ::-1] - step.degrade(image, None, size).image).max() < 1e-4


def test_its_noise_has_our_deviations(sample):
    image = np.ascontiguousarray(sample, dtype=np.float32) / np.float32(255) * np.float32(0.6) + np.float32(0.2)
    np.random.seed(3)
    for grey in (False, True):
        theirs = plain_steps.add_poisson_noise(image[:, :, ::-1].copy(), 1.0, grey)[:, :, ::-1] - image
        step = PoissonNoise(scale=1.0, grey=grey)
        own = step.degrade(image, np.random.Generator(np.random.PCG64(1)), image.shape[:2]).image - image
        assert math.isclose(theirs.std(), own.std(), rel_tol=0.05)
    noise = plain_steps.add_gaussian_noise(np.full((96, 96, 3), 0.5, np.float32), 12.0) - 0.5
    assert math.isclose(noise.std(), 12 / 255, rel_tol=0.03)


@pytest.mark.parametrize("name", sorted(plain.RECIPES))
def test_its_pairs_differ_from_their_targets_as_ours_do(sample, name):
    """Distance from the target, and what is left of edges, of 400 pairs each; each errs in 1 of 1,000 seeds."""
    np.random.seed(7)
    theirs = [_character(plain.RECIPES[name](sample)) for _ in range(400)]
    own = [_character(ours.make(name, sample, variant)) for variant in range(400)]
    for one, other in zip(zip(*theirs, strict=True), zip(*own, strict=True), strict=True):
        assert stats.ks_2samp(one, other).pvalue > 1e-3
    first, second = plain.RECIPES[name](sample), ours.make(name, sample, 0)
    for one, other in zip(first, second, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype == np.uint8


def _character(pair):
    small, target = (each.astype(np.float64) for each in pair)
    target = cv2.resize(target, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.sqrt(((small - target) ** 2).mean()), cv2.Laplacian(small, cv2.CV_64F).std()


def test_figures_compare_round_by_round():
    rates = {("plain", 1): [10.0, 5.0], ("ours", 1): [30.0, 20.0], ("plain", 2): [20.0, 8.0], ("ours", 2): [57.0, 30.0]}
    cpu = {("plain", 1): [90.0, 100.0], ("ours", 1): [30.0, 25.0], ("plain", 2): [1.0, 1.0], ("ours", 2): [1.0, 1.0]}
    figures = Figures("gfpgan", rates, cpu)
    assert figures.compared() == {
        "ours / straightforward, 1 process each": [3.0, 4.0],
        "the same by processor time": [3.0, 4.0],
        "ours / straightforward, 2 processes each": [2.85, 3.75],
        "ours, 2 processes / straightforward, 1 process": [5.7, 6.0],
        "straightforward: share of linear, 1 process to 2 processes": [1.0, 0.8],
        "ours: share of linear, 1 process to 2 processes": [0.95, 0.75],
    }
    assert "ours            2 processes      43.5 (30.0 .. 57.0) pairs/s" in table(figures)
    assert data(figures)["ratios"]["ours / straightforward, 1 process each"] == {"median": 3.5, "least": 3, "most": 4}


def test_it_runs_and_writes_its_figures(tmp_path):
    """In the smallest size, by the name it has for `make bench`; each case has a rate for each round."""
    command = [sys.executable, "-m", "benchmarks", "pairs", "--tiny", "--json", str(tmp_path / "pairs.json")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    written = json.loads((tmp_path / "pairs.json").read_text())
    assert [each["recipe"] for each in written["recipes"]] == ["gfpgan", "real-esrgan"]
    for each in written["recipes"]:
        assert set(each["pairs_per_second"]) == {"plain-1", "ours-1", "plain-2", "ours-2"}
        assert all(len(rates) == 1 and rates[0] > 0 for rates in each["pairs_per_second"].values())
        assert f"\n{each['recipe']}\n" in run.stdout
