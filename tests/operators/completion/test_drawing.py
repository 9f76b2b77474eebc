"""Masks and attributes that training draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from operators.completion.drawing import LEAST_EXTENT, MOST_EXTENT, flipped, random_mask, random_masks


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_a_mask_is_enlarged_noise_above_a_threshold_in_a_rectangle() -> None:
    size = 64
    for seed in range(20):
        mask = random_mask(size, generator(seed))
        assert (mask.shape, mask.dtype) == ((size, size), np.float32)
        # The same draws, and the enlargement by SciPy's splines of order 1 on OpenCV's half-pixel grid.
        draw = generator(seed)
        width, height = draw.uniform(LEAST_EXTENT, MOST_EXTENT, 2)
        left, top = draw.random(2)
        rows, columns = round(height * size), round(width * size)
        noise = draw.random((4, 4), dtype=np.float32)
        grid = np.meshgrid(*((np.arange(n) + 0.5) * 4 / n - 0.5 for n in (rows, columns)), indexing="ij")
        enlarged = ndimage.map_coordinates(noise, grid, order=1, mode="nearest")
        expected = np.zeros((size, size), np.bool_)
        y, x = round(top * (size - rows)), round(left * (size - columns))
        expected[y : y + rows, x : x + columns] = enlarged > 0.5
        doubtful = np.zeros_like(expected)
        doubtful[y : y + rows, x : x + columns] = np.abs(enlarged - 0.5) < 1e-3
        assert np.array_equal(mask[~doubtful] > 0, expected[~doubtful])


def test_masks_follow_from_seed_and_number() -> None:
    masks = random_masks(6, 32, seed=7)
    assert masks.shape == (6, 1, 32, 32)
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert np.array_equal(random_masks(2, 32, seed=7, first=3), masks[3:5])
    assert not np.array_equal(random_masks(6, 32, seed=8), masks)
    shares = random_masks(200, 32, seed=1).mean(axis=(1, 2, 3))
    assert 0.08 < shares.mean() < 0.2
    assert shares.max() > 0.3


def test_half_of_the_attributes_stay_and_of_the_others_one_is_flipped() -> None:
    real = generator(0).integers(0, 2, (4000, 5)).astype(np.float32)
    before = real.copy()
    asked = flipped(real, generator(1))
    assert np.array_equal(real, before)
    moved = asked != real
    assert set(moved.sum(axis=1)) == {0, 1}
    assert moved.any(axis=1).mean() == pytest.approx(0.5, abs=0.03)
    assert np.array_equal(asked[moved], 1 - real[moved])
    assert moved.sum(axis=0) / moved.sum() == pytest.approx(np.full(5, 0.2), abs=0.03)
    assert np.array_equal(asked, flipped(real, generator(1)))


def test_attributes_of_a_face_do_not_depend_on_how_many_there_are() -> None:
    real = np.ones((3, 4), np.float32)
    whole, draw = flipped(real, generator(2)), generator(2)
    assert np.array_equal(np.concatenate([flipped(row[None], draw) for row in real]), whole)
    assert flipped(np.zeros((3, 0), np.float32), generator(2)).shape == (3, 0)
