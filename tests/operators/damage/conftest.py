"""A detector, and pictures that are drawn: heads before a wall, with hair, folds of cloth and grain."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.damage.detector import DamageDetector, DamageOptions

Picture = NDArray[np.float32]


@pytest.fixture(scope="session")
def detector() -> DamageDetector:
    """Of small tiles, each looked at one way round: quick."""
    found = DamageDetector(DamageOptions(tile=128, views=1))
    found.setup()
    return found


@pytest.fixture(scope="session")
def shipped_detector() -> DamageDetector:
    """As it comes, but for the tile's size."""
    found = DamageDetector(DamageOptions(tile=256))
    found.setup()
    return found


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int], Picture]:
    """(side, seed): (side, side, 3) float32 in [0, 1]."""
    return _drawn


def _drawn(side: int, seed: int) -> Picture:
    draw = np.random.default_rng([20261126, seed])
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    wall = draw.uniform(0.25, 0.7, 3) * (1.0 - 0.4 * y[..., None])
    canvas = (
        wall + 0.05 * cv2.GaussianBlur(draw.standard_normal((side, side)), (0, 0), side / 12)[..., None] * side / 20
    )
    hair = cv2.GaussianBlur(draw.standard_normal((side, side)), (0, 0), sigmaX=1.0, sigmaY=side / 25)
    hair /= hair.std()
    skin, cloth = np.array([0.75, 0.56, 0.46]) * draw.uniform(0.7, 1.15), draw.uniform(0.1, 0.5, 3)
    weave = np.sin(2.0 * np.pi * (x * 9 + 2.0 * y + 0.4 * np.sin(6.0 * y)))
    for centre, radii, colour in (
        ((0.5, 1.08), (0.5, 0.28), cloth * (1.0 + 0.15 * weave[..., None])),
        ((0.5, 0.4), (0.3, 0.32), np.array([0.25, 0.17, 0.12]) * (1.0 + 0.3 * hair[..., None])),
        ((0.5, 0.5), (0.22, 0.3), skin * (1.0 - 0.3 * (x - 0.4))[..., None]),
        ((0.42, 0.47), (0.035, 0.015), np.array([0.15, 0.1, 0.08])),
        ((0.58, 0.47), (0.035, 0.015), np.array([0.15, 0.1, 0.08])),
        ((0.5, 0.65), (0.07, 0.018), np.array([0.55, 0.28, 0.26])),
    ):
        distance = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
        cover = np.clip((1.0 - distance) * 30.0, 0.0, 1.0)[..., None]
        canvas = canvas * (1.0 - cover) + colour * cover
    grain = draw.standard_normal((side, side, 1)) * 0.02
    soft = cv2.GaussianBlur(canvas, (0, 0), 0.7) + grain
    return np.asarray(np.clip(soft, 0.0, 1.0), dtype=np.float32)
