"""Whole recipes in a batch: near the CPU path, and the same whatever stands beside an image."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.degradations.applying import apply, apply_8bit, to_8bit
from operators.degradations.batched import applying
from operators.degradations.batched.applying import apply_batch, apply_batch_8bit, apply_to_tensors
from operators.degradations.batched.table import BATCHED
from operators.degradations.drawing import draw
from operators.degradations.problems import RecipeError
from operators.degradations.reading import parse
from operators.degradations.record import JOIN
from operators.degradations.shipped import names, shipped
from operators.degradations.table import DEGRADATIONS
from operators.errors import OperatorError

# Smallest and median PSNR of the 8-bit images in dB, as docs/recipes.md states them: a value that differs in its last
# bits before a JPEG can be rounded to another level, and a coefficient to another step.
STATED = {
    "gfpgan": (50, 75),
    "gpen": (50, 75),
    "codeformer-ii": (50, 75),
    "codeformer-iii": (50, 75),
    "vqfr": (50, 75),
    "restoreformer++": (50, 75),
    "old-photo": (50, 75),
    "real-esrgan": (40, 75),
}
PAIRS = 16


def psnr(first, second):
    apart = np.mean((first.astype(np.float64) - second) ** 2)
    return 100.0 if apart == 0 else 10 * np.log10(255**2 / apart)


@pytest.fixture(scope="module")
def drawn(crop):
    """Images of several sizes, and steps drawn for them, by recipe and count."""

    def make(recipe, count, sides=(128, 100, 112)):
        images = [crop(sides[number % len(sides)], sides[-1], number) for number in range(count)]
        return images, [draw(recipe, 3, f"record {number}", 0) for number in range(count)]

    return make


@pytest.mark.parametrize("name", STATED)
def test_a_recipe_of_a_paper_is_near_the_cpu_path(name, device, drawn):
    images, steps = drawn(shipped(name), PAIRS)
    found = []
    for image, own, pair in zip(images, steps, apply_batch(images, steps, device), strict=True):
        expected = apply(image, own)
        assert pair.image.dtype == pair.target.dtype == np.float32
        assert pair.image.flags.c_contiguous
        assert np.abs(pair.target - expected.target).max() < 1e-6
        assert list(pair.masks) == list(expected.masks)
        assert all(np.array_equal(pair.masks[step], mask) for step, mask in expected.masks.items())
        found.append(psnr(to_8bit(pair.image), to_8bit(expected.image)))
    least, middle = STATED[name]
    assert min(found) >= least
    assert np.median(found) >= middle


def test_every_degradation_runs_and_those_without_a_batched_form_differ_in_nothing(crop):
    steps = {}
    for name, number in itertools.product(names(), range(30)):
        for step in draw(shipped(name), 1, "record", number):
            if step.use in DEGRADATIONS:
                steps.setdefault(step.use, step)
    rare = "recipe: rare\nsource: none\nsteps: [{use: exposure, parameters: {factor: 0.8}}]"
    for step in draw(parse(rare), 1, "record", 0):
        steps.setdefault(step.use, step)
    assert set(steps) == set(DEGRADATIONS)
    image = crop(96, 80)
    pairs = apply_batch([image] * len(steps), [[step] for step in steps.values()], "cpu")
    for (use, step), pair in zip(steps.items(), pairs, strict=True):
        expected = apply(image, [step])
        if use in BATCHED:
            assert pair.image.shape == expected.image.shape
        else:
            assert pair.image.tobytes() == expected.image.tobytes(), use
        assert pair.masks.keys() == expected.masks.keys()


@pytest.mark.parametrize("name", ["gfpgan", "real-esrgan", "old-photo", "restoreformer++", "archival-print"])
def test_an_image_gets_the_same_bits_alone_and_in_any_batch(name, drawn, monkeypatch):
    images, steps = drawn(shipped(name), 6)
    together = apply_batch(images, steps, "cpu")
    backwards = apply_batch(images[::-1], steps[::-1], "cpu")[::-1]
    alone = [apply_batch([image], [own], "cpu")[0] for image, own in zip(images, steps, strict=True)]
    monkeypatch.setattr(applying, "MOST_PIXELS", {"cpu": 2 * 128 * 128})
    in_pieces = apply_batch(images, steps, "cpu")
    for pairs in (backwards, alone, in_pieces):
        for first, second in zip(together, pairs, strict=True):
            assert first.image.tobytes() == second.image.tobytes()
            assert first.target.tobytes() == second.target.tobytes()


@pytest.mark.gpu
def test_on_a_gpu_an_image_is_near_itself_in_any_batch(drawn):
    images, steps = drawn(shipped("gfpgan"), PAIRS)
    together = apply_batch(images, steps, "cuda")
    for image, own, pair in zip(images, steps, together, strict=True):
        alone = apply_batch([image], [own], "cuda")[0]
        assert psnr(to_8bit(alone.image), to_8bit(pair.image)) >= STATED["gfpgan"][0]
    again = apply_batch(images, steps, "cuda")
    assert all(first.image.tobytes() == second.image.tobytes() for first, second in zip(together, again, strict=True))


@pytest.mark.gpu
def test_tf32_changes_nothing_and_every_operation_is_deterministic(drawn, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    images, steps = drawn(shipped("restoreformer++"), PAIRS)
    expected = apply_batch(images, steps, "cuda")
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.use_deterministic_algorithms(True)
        found = apply_batch(images, steps, "cuda")
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
    assert all(first.image.tobytes() == second.image.tobytes() for first, second in zip(expected, found, strict=True))


UNEVEN = """
recipe: uneven
source: none
steps:
  - {use: flip, both: true, probability: 0.5}
  - uneven: {uniform: [0.25, 0.5]}
    probability: 1
    steps:
      - {use: salt-and-pepper, parameters: {amount: 0.1}, probability: 0.7}
      - {use: resize, id: down, parameters: {divisor: {uniform: [1, 4]}, interpolation: bilinear}}
      - {use: strokes, parameters: {count: {integer: [1, 4]}, width_least: 3, width_most: 24}, probability: 0.5}
      - {use: gaussian-noise, parameters: {sigma: {uniform: [0, 20]}}}
      - {use: resize, id: back, parameters: {of: original, interpolation: bilinear}}
      - {use: shift, both: true, parameters: {right: {integer: [-9, 9]}}}
  - {use: exposure, both: true, parameters: {factor: {uniform: [0.7, 1.1]}}}
"""


def test_a_square_of_one_result_lies_on_the_other_with_its_masks(drawn):
    images, steps = drawn(parse(UNEVEN), 12)
    assert all(any(step.use == JOIN for step in own) for own in steps)
    masks = 0
    for image, own, pair in zip(images, steps, apply_batch(images, steps, "cpu"), strict=True):
        expected = apply(image, own)
        assert np.abs(pair.image - expected.image).max() < 5e-6
        assert pair.target.tobytes() == expected.target.tobytes()
        assert list(pair.masks) == list(expected.masks)
        assert all(np.array_equal(pair.masks[step], mask) for step, mask in expected.masks.items())
        masks += len(pair.masks)
    assert masks > 12


def test_steps_of_one_kind_wait_for_each_other(drawn, monkeypatch):
    """Half the images are flipped first; they and the others are blurred in one go."""
    two = "[{use: flip, probability: 0.5}, {use: blur, parameters: {sigma: {uniform: [1, 5]}}}]"
    images, steps = drawn(parse(f"recipe: two\nsource: none\nsteps: {two}"), 8, sides=(112,))
    assert {len(own) for own in steps} == {1, 2}
    runs = []

    class Spied:
        def __init__(self, use):
            self.use, self.shape = use, BATCHED[use].shape

        def run(self, tasks, device):
            runs.append((self.use, len(tasks)))
            return BATCHED[self.use].run(tasks, device)

    monkeypatch.setattr(applying, "BATCHED", {use: Spied(use) for use in BATCHED})
    apply_batch(images, steps, "cpu")
    assert runs == [("flip", sum(len(own) == 2 for own in steps)), ("blur", 8)]


def test_what_stays_on_the_device_is_the_same_pair(drawn):
    images, steps = drawn(shipped("gfpgan"), 3)
    for tensors, pair in zip(apply_to_tensors(images, steps, "cpu"), apply_batch(images, steps, "cpu"), strict=True):
        assert tensors.image.shape == (3, *pair.image.shape[:2])
        assert not tensors.image.requires_grad
        assert tensors.image.is_contiguous()
        assert tensors.pair().image.tobytes() == pair.image.tobytes()


def test_what_overshoots_is_clipped_at_the_end_only():
    sharp = np.zeros((40, 40, 3), dtype=np.float32)
    sharp[:, 20:] = 1.0
    twice = "{use: resize, both: true, parameters: {scale: 2, interpolation: bicubic}}"
    text = f"recipe: sharp\nsource: none\nsteps: [{twice}, {{use: haze, parameters: {{alpha: 0.9}}}}]"
    steps = draw(parse(text), 1, "record", 0)
    (pair,), expected = apply_batch([sharp], [steps], "cpu"), apply(sharp, steps)
    assert pair.target.min() == 0.0
    assert pair.target.max() == 1.0
    assert pair.image.min() < 0.09  # the overshoot went into the haze
    assert np.abs(pair.image - expected.image).max() < 2e-6
    assert np.abs(pair.target - expected.target).max() < 2e-6


@pytest.mark.parametrize("name", ["gfpgan", "old-photo"])
def test_images_of_eight_bits_give_the_rounded_pair(name, device, drawn):
    images, steps = drawn(shipped(name), 6)
    levels = [to_8bit(image) for image in images]
    for eight in levels:
        eight.flags.writeable = False
    rounded = apply_batch_8bit(levels, steps, device)
    for image, own, pair, floats in zip(levels, steps, rounded, apply_batch(images, steps, device), strict=True):
        assert pair.image.tobytes() == to_8bit(floats.image).tobytes()
        assert pair.target.tobytes() == to_8bit(floats.target).tobytes() == apply_8bit(image, own).target.tobytes()
        assert pair.masks.keys() == floats.masks.keys()


def test_settings_of_torch_do_not_matter(drawn):
    images, steps = drawn(shipped("real-esrgan"), 4)
    expected = apply_batch(images, steps, "cpu")
    try:
        torch.set_default_dtype(torch.float64)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = apply_batch(images, steps, "cpu")
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(first.image.tobytes() == second.image.tobytes() for first, second in zip(expected, found, strict=True))


def test_wrong_input_is_refused_as_by_the_cpu_path(crop):
    image = crop(32, 32)
    assert apply_batch([], [], "cpu") == []
    with pytest.raises(ValueError, match="found 2 lists of steps for 1 images"):
        apply_batch([image], [[], []], "cpu")
    with pytest.raises(OperatorError, match="at least 16"):
        apply_batch([image, crop(8, 32)], [[], []], "cpu")
    with pytest.raises(ValueError, match="found uint8"):
        apply_batch([np.zeros((32, 32), np.uint8)], [[]], "cpu")
    with pytest.raises(ValueError, match="found float64"):
        apply_batch([np.zeros((32, 32, 3))], [[]], "cpu")
    with pytest.raises(ValueError, match="found values from"):
        apply_batch([image + np.float32(1)], [[]], "cpu")
    steps = draw(parse(UNEVEN), 3, "record", 0)
    join = [step for step in steps if step.use == JOIN]
    with pytest.raises(RecipeError, match="uneven-join without what belongs before it"):
        apply_batch([image], [join], "cpu")
    apart = [step for step in steps if "back" not in step.id and step.use != "strokes"]
    with pytest.raises(RecipeError, match="expected equal sizes"):
        apply_batch([image], [apart], "cpu")


def test_the_cpu_path_needs_no_torch():
    code = (
        "import sys, operators.degradations.applying, operators.degradations.drawing, operators.degradations.sheet; "
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parents[4]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False).returncode == 0
