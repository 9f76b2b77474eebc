"""A target's pixels and drawn steps to a finished pair: the one way, for jobs, for regenerating and for previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import apply_8bit
from operators.degradations.record import DrawnStep

PNG_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""zlib's search for longer matches finds next to nothing in photographs: level 3 takes 1.7 times the time, and its
files are larger by 3 percent (gfpgan pairs) or as large."""


@dataclass(frozen=True)
class MadePair:
    """A pair in pixels.

    Attributes:
        degraded: (h, w, 3) uint8, RGB.
        target: (H, W, 3) uint8, RGB: the sample after the steps that are for both; the sample's own array without any.
        mask: (h, w) uint8, 255 where damage lies; None where no step that was drawn has one.
    """

    degraded: NDArray[np.uint8]
    target: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None

    @property
    def whole_mask(self) -> NDArray[np.uint8]:
        """(h, w) uint8: the mask, and 0 everywhere where there is none."""
        return np.zeros(self.degraded.shape[:2], np.uint8) if self.mask is None else self.mask


def make_pair(sample: NDArray[np.uint8], steps: Sequence[DrawnStep]) -> MadePair:
    """Degrade a sample.

    Args:
        sample: (H, W, 3) uint8, RGB.
        steps: drawn for it.

    Raises:
        OperatorError: `too_small`.
        RecipeError: the steps do not fit each other.
    """
    pair = apply_8bit(sample, steps)
    mask = pair.mask
    return MadePair(
        pair.image,
        pair.target,
        None if mask is None else np.asarray(np.rint(np.clip(mask, 0.0, 1.0) * np.float32(255.0)), dtype=np.uint8),
    )


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file.

    Args:
        pixels: (h, w, 3) uint8 RGB, or (h, w) uint8.

    Returns:
        The same bytes for the same pixels and the same version of OpenCV.
    """
    stored = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, data = cv2.imencode(".png", stored, PNG_OPTIONS)
    if not done:
        raise ValueError(f"OpenCV cannot write {pixels.shape} {pixels.dtype} as PNG")
    return bytes(data.tobytes())
