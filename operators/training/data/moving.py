"""Faces moved and coloured a little, so that a few hundred of them do not repeat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Jitter:
    """How a face is moved and coloured.

    Attributes:
        scale: of its size, at most this share either way.
        turn: degrees, at most, either way.
        shift: at most this share of the sample's side, either way in each direction.
        gain: of each channel, at most this share either way for all together, and half of it apart.
        gamma: logarithm of the exponent of all levels, at most, either way.
    """

    scale: float = 0.06
    turn: float = 4.0
    shift: float = 0.025
    gain: float = 0.08
    gamma: float = 0.15


USUAL = Jitter()
STILL = Jitter(0.0, 0.0, 0.0, 0.0, 0.0)
"""The face as it was aligned."""


def moved(
    face: Pixels, margin: float, size: int, jitter: Jitter, generator: np.random.Generator, *, mirrored: bool
) -> Pixels:
    """The square of a face, a little elsewhere, sampled bilinearly.

    Args:
        face: (F, F, 3) uint8, with a margin around the square.
        margin: as a share of the square's side, on each side.
        size: pixels a side of the square that is wanted.
        jitter: how far it may lie elsewhere.
        generator: four numbers are drawn from it.
        mirrored: whether left and right are exchanged.

    Returns:
        (size, size, 3) uint8. What lies outside the face's picture is continued by reflection.
    """
    wide = face.shape[0]
    scale = size * (1 + 2 * margin) / wide * (1 + generator.uniform(-jitter.scale, jitter.scale))
    angle = math.radians(generator.uniform(-jitter.turn, jitter.turn))
    shift = generator.uniform(-jitter.shift, jitter.shift, 2) * size
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    sign = -1.0 if mirrored else 1.0
    matrix = np.array([[sign * cosine, -sine], [sign * sine, cosine]])
    affine = np.column_stack([matrix, (size - 1) / 2 + shift - matrix @ np.full(2, (wide - 1) / 2)])
    result = cv2.warpAffine(face, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(result, np.uint8)


def coloured(face: Pixels, jitter: Jitter, generator: np.random.Generator) -> Pixels:
    """A picture with other brightness, colours and levels; five numbers are drawn.

    Args:
        face: (H, W, 3) uint8.
        jitter: by how much.
        generator: to draw from.
    """
    together = 1 + generator.uniform(-jitter.gain, jitter.gain)
    apart = 1 + generator.uniform(-jitter.gain, jitter.gain, 3) / 2
    gamma = math.exp(generator.uniform(-jitter.gamma, jitter.gamma))
    levels = np.linspace(0.0, 1.0, 256) ** gamma
    table = np.clip(levels[:, None] * together * apart, 0.0, 1.0) * 255.0
    tables = np.asarray(np.rint(table), np.uint8)[:, None, :]
    return np.asarray(cv2.LUT(face, tables.transpose(1, 0, 2)), np.uint8)
