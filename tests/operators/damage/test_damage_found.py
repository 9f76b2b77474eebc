"""What the shipped weights find on drawn pictures: no photograph is needed, and none was trained on."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.damage.kinds import KINDS, Kind
from operators.damage.stamps import stamped
from operators.degradations.contract import Degraded
from operators.degradations.cracks import MissingCorner, Tear
from operators.degradations.scratches import Scratches

SIDE = 256
Damaging = Callable[[NDArray[np.float32], int], Degraded]


def scratches(image: NDArray[np.float32], seed: int) -> Degraded:
    damage = Scratches(count=9, length=0.4, width=5.0, spread=1.2, dark=0.15, opacity=0.95)
    return damage.degrade(image, np.random.default_rng(seed), (SIDE, SIDE))


def tear(image: NDArray[np.float32], seed: int) -> Degraded:
    damage = Tear(start=0.13 + 0.21 * seed, angle=0.3, length=0.5, width=16.0)
    return damage.degrade(image, np.random.default_rng(seed), (SIDE, SIDE))


def corner(image: NDArray[np.float32], seed: int) -> Degraded:
    damage = MissingCorner(corner=seed % 4, size=0.22, under=(0.05, 0.92)[seed % 2])
    return damage.degrade(image, np.random.default_rng(seed), (SIDE, SIDE))


def stamp(image: NDArray[np.float32], seed: int) -> Degraded:
    return stamped(image, np.random.default_rng(seed), 0.5)


def seen(before: NDArray[np.float32], made: Degraded) -> NDArray[np.bool_]:
    """What has a mask and changed by 20 levels of 255 or more."""
    assert made.mask is not None
    return np.asarray((made.mask > 0.0) & (np.abs(made.image - before).max(axis=2) >= 20.0 / 255.0))


def widened(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(flags.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


@pytest.mark.parametrize(
    ("kind", "damaging", "precision", "recall"),
    [
        ("scratch", scratches, 0.8, 0.5),
        ("tear", tear, 0.8, 0.8),
        ("corner", corner, 0.6, 0.8),
        ("stamp", stamp, 0.5, 0.8),
    ],
)
def test_damage_is_found_and_told_apart(shipped_detector, picture, kind: Kind, damaging: Damaging, precision, recall):
    """To a pixel: half-covered rims count neither way."""
    right = wrong = found = truth = 0
    for seed in range(3):
        image = picture(SIDE, seed)
        made = damaging(image, seed)
        mask = shipped_detector.detect(made.image).mask((kind,))
        visible = seen(image, made)
        right += int((mask & widened(made.mask > 0.0)).sum())
        wrong += int((mask & ~widened(made.mask > 0.0)).sum())
        found += int((visible & widened(mask)).sum())
        truth += int(visible.sum())
    assert truth > 300
    assert right / (right + wrong) >= precision
    assert found / truth >= recall


def test_a_whole_picture_has_next_to_no_damage(shipped_detector, picture):
    for seed in range(3):
        found = shipped_detector.detect(picture(SIDE, seed))
        for kind in KINDS:
            assert found.mask((kind,)).mean() < 0.02, kind


def test_plainer_damage_has_larger_values(shipped_detector, picture):
    """Maps tell how plain a scratch is: half as opaque, and the values on it are smaller."""
    image = picture(SIDE, 1)
    values = []
    for opacity in (0.25, 0.9):
        damage = Scratches(count=9, length=0.4, width=5.0, spread=1.2, dark=0.0, opacity=opacity)
        made = damage.degrade(image, np.random.default_rng(3), (SIDE, SIDE))
        assert made.mask is not None
        values.append(float(shipped_detector.detect(made.image)["scratch"][made.mask > 0.3 * opacity].mean()))
    assert values[0] < 0.8 * values[1]


def test_masks_join_kinds_and_grow(shipped_detector, picture):
    image = picture(SIDE, 2)
    found = shipped_detector.detect(tear(scratches(image, 2).image, 1).image)
    both, first, second = (found.mask(kinds) for kinds in (("scratch", "tear"), ("scratch",), ("tear",)))
    assert first.any()
    assert second.any()
    assert np.array_equal(both, first | second)
    assert (found.mask(("tear",), 0.05) | second == found.mask(("tear",), 0.05)).all()
    grown = found.mask(("tear",), grow=2)
    assert np.array_equal(grown & second, second)
    assert grown.sum() > second.sum()
    assert not found.mask(()).any()
