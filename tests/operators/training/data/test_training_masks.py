"""What is taken away of faces that are to be completed."""

from __future__ import annotations

import numpy as np
import pytest

from operators.training.data.masks import Masks, drawn_mask


def masks_of(count: int = 200, size: int = 64, **weights: float) -> np.ndarray:
    choice = Masks(**{"noise": 0.0} | weights)
    return np.stack([drawn_mask(size, choice, np.random.default_rng(number)) for number in range(count)])


@pytest.mark.parametrize("shape", ["noise", "rectangle", "strokes", "half"])
def test_every_mask_is_whole_numbers_and_takes_something(shape: str) -> None:
    drawn = masks_of(**{shape: 1.0})
    assert (drawn.dtype, drawn.shape) == (np.uint8, (200, 64, 64))
    assert set(np.unique(drawn)) == {0, 1}
    assert drawn.reshape(200, -1).any(axis=1).all()
    assert not drawn.reshape(200, -1).all(axis=1).any()
    assert np.array_equal(drawn, masks_of(**{shape: 1.0}))
    assert len({one.tobytes() for one in drawn}) > (3 if shape == "half" else 150)


def bounds(mask: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_rectangles_have_the_sides_that_are_asked_for() -> None:
    sides = np.array([bounds(mask) for mask in masks_of(rectangle=1.0, least=0.25, most=0.5)])
    assert (sides.min(), sides.max()) == (16, 32)
    full = masks_of(rectangle=1.0)
    assert all(mask.sum() >= 0.99 * np.prod(bounds(mask)) for mask in full)


def test_the_papers_mask_is_a_part_of_a_rectangle() -> None:
    drawn = masks_of(noise=1.0)
    shares = np.array([mask.sum() / np.prod(bounds(mask)) for mask in drawn])
    assert 0.4 < shares.mean() < 0.8
    assert max(max(bounds(mask)) for mask in drawn) <= round(0.8 * 64)


def test_halves_are_the_four_halves() -> None:
    found = {(*bounds(mask), int(mask[0, 0])) for mask in masks_of(half=1.0)}
    assert found == {(32, 64, 1), (32, 64, 0), (64, 32, 1), (64, 32, 0)}


def test_weights_say_how_often() -> None:
    drawn = masks_of(400, half=1.0, rectangle=3.0)
    halves = sum(mask.sum() == 32 * 64 and 64 in bounds(mask) for mask in drawn)
    assert 70 < halves < 130


@pytest.mark.parametrize(("weights", "message"), [({"noise": 0.0}, "every weight is 0"), ({"least": 0.9}, "more than")])
def test_impossible_choices(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Masks(**weights)
