"""Each batched degradation against the CPU path's, for many drawn parameters, within its stated tolerance."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.degradations.batched.table import BATCHED
from operators.degradations.batched.tasks import to_image
from operators.degradations.streams import generator_of

SHAPES = ["iso", "aniso", "generalised_iso", "generalised_aniso", "plateau_iso", "plateau_aniso"]
WAYS = ["area", "pool", "bilinear", "bicubic", "nearest", "bicubic_antialiased"]


def _grey(random):
    return bool(random.integers(2))


def _resize(random):
    return {
        "scale": float(random.choice([1.0, random.uniform(0.05, 2.0)])),
        "scale_y": float(random.choice([0.0, random.uniform(0.05, 2.0)])),
        "divisor": float(random.choice([1.0, 2.0, random.uniform(0.8, 12.0)])),
        "interpolation": str(random.choice(WAYS)),
        "of": str(random.choice(["current", "original"])),
    }


PARAMETERS = {
    "blur": lambda random: {
        "kernel": str(random.choice(SHAPES)),
        "size": int(random.choice([3, 5, 7, 13, 21, 39, 41, 101])),
        "sigma": float(random.uniform(0.1, 15.0)),
        "sigma_y": float(random.uniform(0.1, 15.0)),
        "angle": float(random.uniform(-math.pi, math.pi)),
        "beta": float(random.uniform(0.5, 4.0)),
    },
    "sinc": lambda random: {
        "size": int(random.choice([7, 11, 13, 21, 41])),
        "cutoff": float(random.uniform(0.6, math.pi)),
    },
    "resize": _resize,
    "gaussian-noise": lambda random: {"sigma": float(random.uniform(0, 50)), "grey": _grey(random)},
    "speckle-noise": lambda random: {"sigma": float(random.uniform(0, 50)), "grey": _grey(random)},
    "poisson-noise": lambda random: {"scale": float(random.uniform(0.05, 3)), "grey": _grey(random)},
    "salt-and-pepper": lambda random: {
        "amount": float(random.choice([0.0, 1.0, random.uniform(0, 0.2)])),
        "salt": float(random.uniform()),
        "grey": _grey(random),
    },
    "jpeg": lambda random: {
        "quality": float(random.uniform(1, 100)),
        "subsampling": str(random.choice(["420", "422", "444"])),
    },
    "colour-shift": lambda random: {name: float(random.uniform(-60, 60)) for name in ("red", "green", "blue")},
    "brightness": lambda random: {"factor": float(random.uniform(0, 3))},
    "contrast": lambda random: {"factor": float(random.uniform(0, 3))},
    "saturation": lambda random: {"factor": float(random.uniform(0, 3))},
    "exposure": lambda random: {"factor": float(random.uniform(0, 3))},
    "hue": lambda random: {"turn": float(random.uniform(-0.5, 0.5))},
    "grey": lambda random: {},
    "haze": lambda random: {"alpha": float(random.uniform())},
    "flip": lambda random: {},
    "shift": lambda random: {"right": int(random.integers(-300, 300)), "down": int(random.integers(-60, 60))},
}
DRAWS = 36
PAGE = Path(__file__).parents[4] / "docs" / "recipes.md"


def test_the_parameters_below_cover_every_batched_form():
    assert set(PARAMETERS) == set(BATCHED)


def test_the_page_states_the_tolerances():
    section = PAGE.read_text().split("## On a GPU")[1].split("\n## ")[0]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    stated = {use: row[2].split()[0].strip(";") for row in rows if row[2:] for use in re.findall(r"`(.*?)`", row[0])}
    assert {use: float(stated[use]) for use in BATCHED} == {use: entry.tolerance for use, entry in BATCHED.items()}
    assert "2 % of values" in section
    assert BATCHED["poisson-noise"].outside == 0.02


@pytest.mark.parametrize("use", BATCHED)
def test_a_batched_step_stays_within_its_tolerance(use, device, crop, make_task, run_together):
    random = np.random.default_rng(len(use))
    tasks = []
    for number in range(DRAWS):
        # A third of the images share a canvas and few have its very size; one axis may be down to two pixels.
        sizes = [random.integers(97, 113, 2), random.integers(2, 160, 2), np.array([112, 128])]
        image = crop(*(int(side) for side in sizes[number % 3]), number)
        if number % 4 == 0:  # what a bicubic resize leaves
            image = image * np.float32(1.2) - np.float32(0.1)
        elif number % 4 == 1:
            image = image + random.normal(0, 0.1, image.shape).astype(np.float32)
            image = np.clip(image, 0, 1)
        tasks.append(make_task(image, use, PARAMETERS[use](random), number))
    entry = BATCHED[use]
    for task, found in zip(tasks, run_together(use, tasks, device), strict=True):
        expected = task.degradation.degrade(to_image(task.image), generator_of(task.seed), task.original)
        assert found.image.dtype == torch.float32
        assert tuple(found.image.shape[1:]) == expected.image.shape[:2], task.degradation
        apart = np.abs(to_image(found.image) - expected.image)
        assert np.count_nonzero(apart > entry.tolerance) <= entry.outside * apart.size, (task.degradation, apart.max())
        if expected.mask is None:
            assert found.mask is None
        else:
            assert np.array_equal(found.mask, expected.mask)


@pytest.mark.parametrize("way", WAYS)
def test_axes_may_shrink_and_grow_apart(way, crop, make_task, run_together):
    factors = (0.3, 0.5, 0.97, 1.0, 1.5, 2.0)
    tasks = [
        make_task(crop(40, 50), "resize", {"scale": across, "scale_y": down, "interpolation": way})
        for across in factors
        for down in factors
    ]
    for task, found in zip(tasks, run_together("resize", tasks, "cpu"), strict=True):
        expected = task.degradation.degrade(to_image(task.image), generator_of(task.seed), task.original).image
        assert np.abs(to_image(found.image) - expected).max() <= BATCHED["resize"].tolerance, task.degradation


def test_poisson_noise_in_colour_differs_in_nothing(crop, make_task, run_together):
    tasks = [
        make_task(crop(60 + number, 70, number), "poisson-noise", {"scale": 0.5 + number}, number)
        for number in range(8)
    ]
    for task, found in zip(tasks, run_together("poisson-noise", tasks, "cpu"), strict=True):
        expected = task.degradation.degrade(to_image(task.image), generator_of(task.seed), task.original)
        assert to_image(found.image).tobytes() == expected.image.tobytes()


def test_images_are_not_written_to(crop, make_task, run_together):
    random = np.random.default_rng(0)
    for use, draw in PARAMETERS.items():
        for side in (112, 101):  # a canvas of its own size, and one with a rim
            task = make_task(crop(side, side), use, draw(random))
            before = task.image.clone()
            run_together(use, [task], "cpu")
            assert torch.equal(task.image, before), use
