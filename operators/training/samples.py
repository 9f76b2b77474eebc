"""Pairs made on the fly from good faces: the same number always gives the same pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import apply_8bit
from operators.degradations.distributions import pick
from operators.degradations.drawing import draw
from operators.degradations.recipe import Recipe

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Jitter:
    """How a face is moved and coloured before it is degraded, so that a few hundred of them do not repeat.

    Attributes:
        scale: of its size, at most this share either way.
        turn: degrees, at most, either way.
        shift: pixels of the sample, at most, either way in each direction.
        mirror: probability of left and right exchanged.
        gain: of each channel, at most this share either way, the same for all channels or apart.
        gamma: of the whole, at most this share either way.
    """

    scale: float = 0.06
    turn: float = 4.0
    shift: float = 6.0
    mirror: float = 0.5
    gain: float = 0.08
    gamma: float = 0.15


@dataclass(frozen=True)
class Mixture:
    """Recipes of which one is taken for each pair.

    Attributes:
        recipes: as read.
        weights: one for each.
    """

    recipes: tuple[Recipe, ...]
    weights: tuple[float, ...]


class FacePairs:
    """Degraded faces beside what they were, by number; picklable, and without any state.

    Args:
        faces: (M, F, F, 3) uint8, RGB: aligned, with a margin around the square that the network sees.
        margin: of that square, as a share of its side on each side.
        size: pixels a side of the samples.
        mixture: what degrades them.
        seed: of everything that is drawn.
        jitter: how faces are moved and coloured.
    """

    def __init__(
        self, faces: Pixels, margin: float, size: int, mixture: Mixture, seed: int, jitter: Jitter = Jitter()
    ) -> None:
        self._faces = faces
        self._margin = margin
        self._size = size
        self._mixture = mixture
        self._seed = seed
        self._jitter = jitter

    @property
    def size(self) -> int:
        """Pixels a side of the samples."""
        return self._size

    def pair(self, number: int) -> tuple[Pixels, Pixels]:
        """One pair.

        Args:
            number: 0 and on; faces come in a new order in each round.

        Returns:
            degraded and target, (size, size, 3) uint8, RGB.
        """
        generator = np.random.default_rng((self._seed, number))
        turn, place = divmod(number, len(self._faces))
        face = int(np.random.default_rng((self._seed, turn, len(self._faces))).permutation(len(self._faces))[place])
        good = self._coloured(self._moved(self._faces[face], generator), generator)
        recipe = self._mixture.recipes[pick(self._mixture.weights, generator)]
        made = apply_8bit(good, draw(recipe, self._seed, f"{face}", number))
        degraded, target = made.image, made.target
        if degraded.shape != target.shape:
            degraded = np.asarray(
                cv2.resize(degraded, (self._size, self._size), interpolation=cv2.INTER_CUBIC), np.uint8
            )
        return degraded, target

    def batch(self, numbers: Sequence[int]) -> NDArray[np.uint8]:
        """Several pairs: (2, N, size, size, 3) uint8, degraded ones first."""
        pairs = [self.pair(number) for number in numbers]
        return np.stack([np.stack(side) for side in zip(*pairs, strict=True)])

    def _moved(self, face: Pixels, generator: np.random.Generator) -> Pixels:
        """The square of the face, a little elsewhere, sampled bilinearly."""
        wide, jitter = face.shape[0], self._jitter
        scale = self._size * (1 + 2 * self._margin) / wide * (1 + generator.uniform(-jitter.scale, jitter.scale))
        angle = math.radians(generator.uniform(-jitter.turn, jitter.turn))
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        across = -cosine if generator.random() < jitter.mirror else cosine
        along = -sine if across < 0 else sine
        matrix = np.array([[across, -sine], [along, cosine]])
        centre = (self._size - 1) / 2 + generator.uniform(-jitter.shift, jitter.shift, 2)
        affine = np.column_stack([matrix, centre - matrix @ np.full(2, (wide - 1) / 2)])
        moved = cv2.warpAffine(
            face, affine, (self._size, self._size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(moved, np.uint8)

    def _coloured(self, face: Pixels, generator: np.random.Generator) -> Pixels:
        jitter = self._jitter
        together = 1 + generator.uniform(-jitter.gain, jitter.gain)
        apart = 1 + generator.uniform(-jitter.gain, jitter.gain, 3) / 2
        gamma = math.exp(generator.uniform(-jitter.gamma, jitter.gamma))
        levels = np.linspace(0.0, 1.0, 256) ** gamma
        table = np.clip(levels[:, None] * together * apart, 0.0, 1.0) * 255.0
        tables = np.asarray(np.rint(table), np.uint8)[:, None, :]
        return np.asarray(cv2.LUT(face, tables.transpose(1, 0, 2)), np.uint8)
