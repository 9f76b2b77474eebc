"""Good pictures by number: which come when, how they are moved and coloured, and where squares are cut."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from operators.training.data.moving import STILL, Jitter, coloured, moved
from operators.training.data.order import generator, place
from operators.training.data.supply import Crops, Faces, crops

FACE = cv2.resize(pictures.astronaut()[10:290, 90:370], (108, 108), interpolation=cv2.INTER_AREA)


def test_every_picture_comes_once_before_any_comes_again() -> None:
    for first in (0, 7, 7 * 10**9, 7 * 2**40):
        assert sorted(place(3, first + one, 7) for one in range(7)) == list(range(7))
    rounds = [[place(3, 7 * turn + one, 7) for one in range(7)] for turn in range(30)]
    assert len({tuple(one) for one in rounds}) > 20
    assert rounds[0] != [place(4, one, 7) for one in range(7)]
    assert rounds[0] != [place(3, one, 7, "second") for one in range(7)]


def test_all_orders_are_about_as_likely() -> None:
    firsts = np.bincount([place(0, 5 * turn, 5) for turn in range(2000)], minlength=5)
    assert firsts.min() > 300


def test_draws_depend_on_seed_number_and_name() -> None:
    ways = [(0, 1, ""), (1, 1, ""), (0, 2, ""), (0, 1, "a"), (0, 1, "b"), (0, 2**40 + 1, "")]
    assert len({generator(*way).random() for way in ways}) == len(ways)
    assert generator(0, 1, "a").random() == generator(0, 1, "a").random()


def test_a_still_face_is_its_square() -> None:
    draws = np.random.default_rng(0)
    square = moved(FACE, 1 / 16, 96, STILL, draws, mirrored=False)
    assert np.array_equal(square, FACE[6:102, 6:102])
    turned = moved(FACE, 1 / 16, 96, STILL, draws, mirrored=True)
    assert np.array_equal(turned, square[:, ::-1])


def test_a_face_kept_larger_is_the_same_square_reduced() -> None:
    large = cv2.resize(FACE, (216, 216), interpolation=cv2.INTER_CUBIC)
    square = moved(large, 1 / 16, 96, STILL, np.random.default_rng(0), mirrored=False)
    assert np.abs(square.astype(int) - FACE[6:102, 6:102]).mean() < 3


@pytest.mark.parametrize("mirrored", [False, True])
def test_how_far_a_face_may_be_moved(mirrored: bool) -> None:
    spot = np.zeros((108, 108, 3), np.uint8)
    cv2.circle(spot, (54, 54), 3, (255, 255, 255), -1)
    places = []
    for number in range(60):
        found = moved(spot, 1 / 16, 96, Jitter(0, 0, 0.05, 0, 0), np.random.default_rng(number), mirrored=mirrored)
        rows, columns = np.nonzero(found[..., 0] > 128)
        places.append((rows.mean(), columns.mean()))
    away = np.abs(np.array(places) - 48).max(axis=0)
    assert (away < 0.05 * 96 + 1.5).all()
    assert (away > 3).all()


def test_turns_and_scales_are_those_asked_for() -> None:
    line = np.zeros((108, 108, 3), np.uint8)
    cv2.line(line, (29, 54), (79, 54), (255, 255, 255), 2)
    angles, lengths = [], []
    for number in range(40):
        found = moved(line, 0.0, 108, Jitter(0.2, 10, 0, 0, 0), np.random.default_rng(number), mirrored=number % 2 == 0)
        points = np.argwhere(found[..., 0] > 100)[:, ::-1].astype(np.float32)
        (_, size, _), direction = cv2.minAreaRect(points), cv2.fitLine(points, cv2.DIST_L2, 0, 0.01, 0.01).ravel()
        angles.append(np.degrees(np.arctan2(direction[1], direction[0] * 1.0)) % 180)
        lengths.append(max(size))
    leaning = np.minimum(angles, 180 - np.array(angles))
    assert leaning.max() < 11
    assert leaning.max() > 6
    assert 50 * 0.78 < min(lengths) < 50 * 0.9
    assert 50 * 1.1 < max(lengths) < 50 * 1.25


def test_a_mirrored_face_is_moved_as_the_mirrored_picture() -> None:
    jitter = Jitter(0.1, 20, 0.05, 0, 0)
    for number in range(5):
        mirrored = moved(FACE, 1 / 16, 96, jitter, np.random.default_rng(number), mirrored=True)
        other = np.ascontiguousarray(FACE[:, ::-1])
        expected = moved(other, 1 / 16, 96, jitter, np.random.default_rng(number), mirrored=False)
        assert np.abs(mirrored.astype(int) - expected).mean() < 1


def test_colours() -> None:
    flat = np.full((4, 4, 3), 128, np.uint8)
    assert np.array_equal(coloured(flat, STILL, np.random.default_rng(0)), flat)
    found = [coloured(flat, Jitter(0, 0, 0, 0.08, 0.15), np.random.default_rng(one))[0, 0] for one in range(50)]
    assert 85 < np.min(found) < 120
    assert 136 < np.max(found) < 165
    assert max(np.ptp(one.astype(int)) for one in found) > 3
    bright = coloured(np.full((2, 2, 3), 255, np.uint8), Jitter(0, 0, 0, 0.5, 0), np.random.default_rng(4))
    assert bright.max() <= 255


def test_faces_are_mirrored_as_often_as_asked() -> None:
    faces = Faces((FACE,), 1 / 16, 96, STILL, 0.25)
    plain = FACE[6:102, 6:102]
    turned = [np.array_equal(faces.take(0, np.random.default_rng(one)), plain[:, ::-1]) for one in range(200)]
    assert 30 < sum(turned) < 75
    assert np.array_equal(faces.still().take(0, np.random.default_rng(9)), plain)
    assert pickle.loads(pickle.dumps(faces)).count == 1


def test_squares_are_cut_anywhere_and_only_inside() -> None:
    rows, columns = np.mgrid[0:40, 0:60]
    picture = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    supply = Crops((picture,), 24, mirror=0.5)
    corners, sides = set(), set()
    for number in range(400):
        square = supply.take(0, np.random.default_rng(number))
        assert square.shape == (24, 24, 3)
        assert square.flags["C_CONTIGUOUS"]
        assert square[-1, 0, 0] - square[0, 0, 0] == 23
        corners.add((int(square[0, 0, 0]), int(square[..., 1].min())))
        sides.add(bool(square[0, 0, 1] > square[0, -1, 1]))
    assert {top for top, _ in corners} == set(range(17))
    assert {left for _, left in corners} == set(range(37))
    assert sides == {False, True}
    middle = supply.still().take(0, np.random.default_rng(0))
    assert (middle[0, 0, 0], middle[0, 0, 1]) == (8, 18)


def test_a_picture_of_the_samples_size_is_taken_whole() -> None:
    assert np.array_equal(Crops((FACE,), 108, 0.0).take(0, np.random.default_rng(0)), FACE)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_squares_of_a_pair_show_the_same(scale: int) -> None:
    rows, columns = np.mgrid[0:48, 0:64]
    good = np.stack([rows // scale, columns // scale, rows * 0], axis=-1).astype(np.uint8)
    bad = np.ascontiguousarray(good[::scale, ::scale])
    places = set()
    for number in range(50):
        one, other = crops((bad, good), 32, 0.5, np.random.default_rng(number), scale=scale)
        assert one.shape == (32 // scale, 32 // scale, 3)
        assert np.array_equal(one.repeat(scale, axis=0).repeat(scale, axis=1), other)
        places.add((int(one[0, 0, 0]), int(one[0, 0, 1])))
    assert len(places) > 10
