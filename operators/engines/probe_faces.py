"""Drawn faces on which engines are compared: fixed, and as different from each other as archive photographs are."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

VERSION = "probe-faces/1"
"""Changes whenever a pixel does."""

Picture = NDArray[np.float64]
"""(S, S, 3), RGB in [0, 1]."""
Place = tuple[float, float]
"""(x, y) as shares of the square's side, from its upper left corner."""

_EYES: tuple[Place, Place] = ((0.38, 0.47), (0.62, 0.47))
_NOSE: Place = (0.5, 0.61)
_MOUTH: Place = (0.5, 0.725)


def probe_faces(count: int, size: int) -> torch.Tensor:
    """Faces drawn with the landmarks of an aligned crop, each spoilt in its own way.

    In this order, and over again with other complexions: noisy, dark, blurred, bright, of low contrast.

    Args:
        count: how many, at least 1.
        size: side of each in pixels, at least 8.

    Returns:
        (count, 3, size, size) float32 in [-1, 1], RGB; values are multiples of 1/255 before the shift, as in a
        photograph of 8 bits. The same for the same arguments.
    """
    pictures = []
    for number in range(count):
        draw = np.random.Generator(np.random.PCG64([20260101, number]))
        spoil = _SPOILERS[number % len(_SPOILERS)]
        picture = spoil(_face(size, draw), draw)
        pictures.append(np.rint(np.clip(picture, 0.0, 1.0) * 255.0) / 255.0)
    batch = np.stack(pictures).transpose(0, 3, 1, 2) * 2.0 - 1.0
    return torch.from_numpy(np.ascontiguousarray(batch, np.float32))


def probe_vectors(count: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal numbers, for networks whose input is no picture.

    Args:
        count: how many.
        shape: of one input.

    Returns:
        (count, *shape) float32. The same for the same arguments.
    """
    draw = np.random.Generator(np.random.PCG64(20260101))
    return torch.from_numpy(draw.standard_normal((count, *shape)).astype(np.float32))


def _face(size: int, draw: np.random.Generator) -> Picture:
    """Head and shoulders before a background, lit from one side."""
    skin = np.array([0.80, 0.60, 0.50]) * draw.uniform(0.55, 1.1)
    hair = np.array([0.36, 0.25, 0.18]) * draw.uniform(0.3, 1.6)
    cloth, wall = draw.uniform(0.1, 0.8, 3), draw.uniform(0.5, 0.6, 3) * draw.uniform(0.6, 1.4)
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    strands = cv2.GaussianBlur(draw.standard_normal((size, size)), (0, 0), sigmaX=size / 400, sigmaY=size / 40)
    strands /= max(float(strands.std()), 1e-9)
    picture = wall * (1.0 - 0.35 * y[..., None]) * np.ones((size, size, 3))
    for centre, radii, colour, edge in (
        ((0.5, 1.1), (0.55, 0.25), cloth, 0.02),
        ((0.5, 0.42), (0.37, 0.40), hair * (1.0 + 0.25 * strands[..., None]), 0.03),
        ((0.5, 0.95), (0.14, 0.20), skin * 0.8, 0.03),
        ((0.5, 0.56), (0.27, 0.36), skin, 0.02),
        (_NOSE, (0.045, 0.03), skin * 0.8, 0.4),
        (_MOUTH, (0.10, 0.03), skin * np.array([0.85, 0.5, 0.5]), 0.2),
        (_MOUTH, (0.09, 0.005), skin * 0.35, 0.5),
        *((eye, (0.055, 0.025), np.full(3, 0.92), 0.1) for eye in _EYES),
        *((eye, (0.022, 0.022), draw.uniform(0.05, 0.5, 3), 0.1) for eye in _EYES),
        *((eye, (0.010, 0.010), np.full(3, 0.03), 0.1) for eye in _EYES),
        *(((ex, ey - 0.07), (0.075, 0.012), hair * 0.7, 0.4) for ex, ey in _EYES),
    ):
        distance = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
        cover = np.clip((1.0 + edge - distance) / (2.0 * edge), 0.0, 1.0)[..., None]
        picture = picture * (1.0 - cover) + colour * cover
    return np.asarray(picture * (1.0 + 0.35 * (0.5 - x))[..., None], np.float64)


def _noisy(picture: Picture, draw: np.random.Generator) -> Picture:
    return picture + draw.standard_normal(picture.shape) * 0.08


def _dark(picture: Picture, draw: np.random.Generator) -> Picture:
    return picture * 0.25 + draw.standard_normal(picture.shape) * 0.01


def _blurred(picture: Picture, _: np.random.Generator) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigmaX=picture.shape[0] / 60), np.float64)


def _bright(picture: Picture, _: np.random.Generator) -> Picture:
    return 0.45 + picture * 0.75


def _low_contrast(picture: Picture, draw: np.random.Generator) -> Picture:
    return 0.45 + (picture - 0.5) * 0.15 + draw.standard_normal(picture.shape) * 0.01


_SPOILERS: tuple[Callable[[Picture, np.random.Generator], Picture], ...] = (
    _noisy,
    _dark,
    _blurred,
    _bright,
    _low_contrast,
)
