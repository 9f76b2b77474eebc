"""A target's pixels and drawn steps to a finished pair: the one way, for jobs, for regenerating and for previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import apply, to_8bit
from operators.degradations.record import DrawnStep

PNG_LEVEL = 3
"""Of zlib: smaller files cost several times the time and save a few percent."""


@dataclass(frozen=True)
class MadePair:
    """A pair in pixels.

    Attributes:
        degraded: (h, w, 3) uint8, RGB.
        target: (H, W, 3) uint8, RGB: the sample after the steps that are for both.
        mask: (h, w) uint8, 255 where damage lies; None where the recipe has no masks.
    """

    degraded: NDArray[np.uint8]
    target: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None


def make_pair(sample: NDArray[np.uint8], steps: Sequence[DrawnStep]) -> MadePair:
    """Degrade a sample.

    Args:
        sample: (H, W, 3) uint8, RGB.
        steps: drawn for it.

    Raises:
        OperatorError: `too_small`.
        RecipeError: the steps do not fit each other.
    """
    pair = apply(sample.astype(np.float32) / np.float32(255.0), steps)
    # `target` is the sample itself unless a step was for both; rounding gives its 8 bits again.
    mask = pair.mask
    return MadePair(
        to_8bit(pair.image),
        to_8bit(pair.target),
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
    done, data = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
    if not done:
        raise ValueError(f"OpenCV cannot write {pixels.shape} {pixels.dtype} as PNG")
    return bytes(data.tobytes())
