"""Ink stamps as they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from operators.damage.stamps import stamped


@pytest.mark.parametrize("seed", range(12))
def test_a_stamp_darkens_where_its_mask_is_and_nowhere_else(picture, seed):
    image = picture(192, seed)
    before = image.copy()
    made = stamped(image, np.random.default_rng(seed))
    assert np.array_equal(image, before)
    assert made.image.dtype == made.mask.dtype == np.float32
    assert np.array_equal(made.image[made.mask == 0.0], image[made.mask == 0.0])
    assert (made.image[made.mask > 0.0] <= image[made.mask > 0.0] + 1e-6).all()
    assert 0.0 <= made.mask.min() <= made.mask.max() <= 1.0


def test_stamps_are_ink_and_no_filled_areas(picture):
    shares = [float((stamped(picture(192, 1), np.random.default_rng(seed)).mask > 0.2).mean()) for seed in range(40)]
    assert np.median(shares) > 0.003
    assert max(shares) < 0.12


def test_the_same_generator_gives_the_same_stamp(picture):
    image = picture(160, 2)
    first, second = (stamped(image, np.random.default_rng(5)) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    other = stamped(image, np.random.default_rng(6))
    assert first.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("shape", [(32, 32, 3), (32, 300, 3), (500, 40, 3)])
def test_narrow_pictures(shape):
    for seed in range(10):
        made = stamped(np.full(shape, 0.5, np.float32), np.random.default_rng(seed))
        assert made.image.shape == shape
        assert made.mask.shape == shape[:2]


def test_the_size_is_a_share_of_the_shorter_side():
    image = np.full((400, 400, 3), 0.8, np.float32)
    extents = []
    for size in (0.15, 0.45):
        rows = [np.flatnonzero(stamped(image, np.random.default_rng(s), size).mask.any(axis=0)) for s in range(12)]
        extents.append(np.median([np.ptp(row) for row in rows if row.size]))
    assert extents[1] > 2.0 * extents[0]
