"""What the detector found, and masks of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.damage.kinds import KINDS, Kind

MASKED: tuple[Kind, ...] = ("scratch", "tear", "corner", "stamp", "crack")
"""Kinds of a mask by default: all that takes the picture away. Dust is left out: specks are small, and many."""


@dataclass(frozen=True)
class Damage:
    """Damage of one picture.

    Attributes:
        maps: by kind: (H, W) float32 in [0, 1], how plainly a pixel is damaged so.
        thresholds: by kind, the value from which a pixel is taken as damaged where the caller does not say.
    """

    maps: Mapping[Kind, NDArray[np.float32]]
    thresholds: Mapping[Kind, float]

    def __getitem__(self, kind: Kind) -> NDArray[np.float32]:
        """The map of a kind."""
        return self.maps[kind]

    def mask(self, kinds: Iterable[Kind] = MASKED, threshold: float | None = None, grow: int = 0) -> NDArray[np.bool_]:
        """Pixels that are damaged in one of several ways.

        Args:
            kinds: which.
            threshold: from which value of a map on, in (0, 1]; None takes each kind's own.
            grow: pixels by which the mask is widened all round: half-covered pixels at a rim belong to the damage.

        Returns:
            (H, W) bool.

        Raises:
            ValueError: a kind that there is not, a threshold outside (0, 1], or a negative `grow`.
        """
        chosen = tuple(kinds)
        unknown = [kind for kind in chosen if kind not in self.maps]
        if unknown:
            raise ValueError(f"found the kinds {', '.join(map(str, unknown))}, expected some of {', '.join(KINDS)}")
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise ValueError(f"found the threshold {threshold}, expected more than 0 and at most 1")
        if grow < 0:
            raise ValueError(f"found grow {grow}, expected 0 or more pixels")
        first = next(iter(self.maps.values()))
        found = np.zeros(first.shape, dtype=np.bool_)
        for kind in chosen:
            found |= self.maps[kind] >= np.float32(self.thresholds[kind] if threshold is None else threshold)
        if grow == 0:
            return found
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
        return np.asarray(cv2.dilate(found.astype(np.uint8), disc) > 0)
