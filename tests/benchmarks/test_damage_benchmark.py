"""The damage benchmark counts rightly, and its pairs are those of the recipes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from benchmarks.damage_curves import Curve
from benchmarks.damage_pairs import clear, drawn, learnt, likelier, scene, visible
from operators.damage.kinds import KINDS
from operators.degradations.applying import apply, to_8bit
from operators.degradations.shipped import shipped


@pytest.fixture(scope="module")
def photo():
    draw = np.random.default_rng(5)
    soft = cv2.GaussianBlur(draw.random((160, 160, 3)), (0, 0), 6)
    return np.asarray((soft - soft.min()) / np.ptp(soft), np.float32)


def test_precision_and_recall_of_a_map_counted_by_hand():
    values = np.array([[0.9, 0.8, 0.1], [0.7, 0.0, 0.2], [0.0, 0.0, 0.6]], np.float32)
    truth = np.array([[1, 1, 1], [0, 0, 0], [0, 0, 0]], bool)
    curve = Curve()
    curve.add(values, truth)
    point = curve.at(0.5)
    assert (point.precision, point.recall) == (2 / 4, 2 / 3)
    least = curve.at_precision(0.8)
    assert (least.precision, least.recall) == (1.0, 2 / 3)
    assert curve.at(0.999).recall == 0.0
    assert math.isnan(curve.at(0.999).precision)


def test_what_is_ignored_is_neither_right_nor_wrong():
    values = np.array([[0.9, 0.9, 0.9, 0.0]], np.float32)
    truth = np.array([[1, 0, 0, 0]], bool)
    curve = Curve()
    curve.add(values, truth, ignored=np.array([[0, 1, 0, 0]], bool))
    assert curve.at(0.5).precision == 1 / 2


def test_a_pixel_of_tolerance_reaches_one_pixel_and_no_further():
    values, truth = np.zeros((9, 9), np.float32), np.zeros((9, 9), bool)
    values[4, 4], truth[4, 5] = 1.0, True
    for tolerance, expected in ((0, 0.0), (1, 1.0)):
        curve = Curve()
        curve.add(values, truth, tolerance=tolerance)
        assert curve.at(0.5).recall == curve.at(0.5).precision == expected
    far = Curve()
    far.add(values, np.roll(truth, 1, axis=1), tolerance=1)
    assert far.at(0.5).recall == far.at(0.5).precision == 0.0


@pytest.mark.parametrize("recipe", ["archival-print", "archival-negative", "archival-postcard", "scratch-repair"])
def test_a_scene_is_the_recipes_own_pair_and_its_twin_lacks_one_kind(photo, recipe):
    steps = drawn(likelier(shipped(recipe), {"scratches": 1.0, "tear": 1.0}), 3, "photo", 0)
    made = scene(photo, steps)
    assert np.array_equal(made.image, to_8bit(apply(photo, steps).image))
    less = [step for step in steps if step.use != "scratches"]
    assert np.array_equal(made.without["scratch"], to_8bit(apply(photo, less).image))
    assert set(made.masks) == set(made.without)


def test_truths_are_nested_and_what_is_learnt_lies_in_the_masks(photo):
    steps = drawn(likelier(shipped("scratch-repair"), {"tear": 1.0}), 4, "photo", 0, stamps=1.0)
    made = scene(photo, steps)
    planes = learnt(made)
    assert planes.shape == (len(KINDS), 160, 160)
    for kind, plane in zip(KINDS, planes, strict=True):
        seen, plain = visible(made, kind), clear(made, kind, 25.0)
        assert not (plain & ~clear(made, kind)).any()
        assert not (clear(made, kind) & ~seen).any()
        assert not plane[made.masks[kind] == 0.0].any() if kind in made.masks else not plane.any()
    assert visible(made, "scratch").sum() > 50
    assert visible(made, "stamp").sum() > 50


def test_parameters_stay_when_a_step_is_made_likelier():
    plain = drawn(shipped("archival-print"), 3, "photo", 0)
    often = drawn(likelier(shipped("archival-print"), {"tear": 1.0, "scratches": 1.0}), 3, "photo", 0)
    assert {step.id for step in plain} <= {step.id for step in often}
    assert all(step in often for step in plain)
