"""Pictures of one tone - sepia prints, cyanotypes, grey stored as RGB - told from colour, and kept in their tone.

A generator that was trained on colour photographs paints what it is shown: skin turns pink on a sepia print. In a
picture of one tone chroma follows from luma, so the tone can be taken from the original and put on whatever luma the
generator made. What that takes from a face is what its chroma does not follow from luma, and exactly this is measured
to decide whether a picture has one tone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.tone_curve import Pixels, Plane, chroma_of, fit, joined, luma_of, view_of

_LEVEL = 1.0 / 255.0
_FINE, _COARSE = 32, 16
"""Cells along a side in which what the tone does not explain is averaged: noise and JPEG artefacts are smaller than a
cell, lips are not."""
_ALLOWED = 0.6 * _LEVEL
_ALLOWED_SHARE = 0.02
"""Unexplained chroma that a picture of one tone may have: a base, and a share of its chroma, as strong tones bend more.
Measured on portraits; see docs/restorers.md."""
_DOUBTFUL = 2.5
"""Evidence in a crop up to which the whole picture decides. A small face out of a strongly compressed sepia print
reaches 2.4, where artefacts are as large as lips; of hand-tinted faces 98 in 100 have 3.3 or more."""
_NEUTRAL = 1.0 * _LEVEL
"""Chroma below this is no tone but noise of a grey picture."""


def colour_evidence(pixels: Pixels) -> float:
    """Measure how far a picture is from having one tone.

    Chroma that the fitted tone (`tone_curve.fit`) leaves is averaged in cells. Of its mean square the part that white
    noise has, which falls to a quarter when cells are doubled, is taken off: with R the mean square at 32 cells along a
    side and r that at 16, (4 r - R) / 3 remains.

    Args:
        pixels: (H, W, 3) uint8, or float32 in [0, 1]; RGB: an aligned crop, or a whole picture.

    Returns:
        unexplained chroma over what is allowed; below 1 the picture has one tone.

    Raises:
        ValueError: another shape or type.
        OperatorError: code `not_finite`.
    """
    view = view_of(pixels)
    luma = luma_of(view)
    planes = chroma_of(view, luma)
    if not any(plane.any() for plane in planes):
        return 0.0
    explained = fit(view).chroma(luma)
    fine, coarse = (
        sum(_mean_square(plane - tone, cells) for plane, tone in zip(planes, explained, strict=True))
        for cells in (_FINE, _COARSE)
    )
    strength = float(np.sqrt(sum(np.mean(np.square(plane)) for plane in planes)))
    return float(np.sqrt(max(0.0, (4.0 * coarse - fine) / 3.0)) / (_ALLOWED + _ALLOWED_SHARE * strength))


def is_toned(pixels: Pixels, picture: float | None = None) -> bool:
    """Whether a face stored in colour has one tone: grey, sepia, cyanotype and the like, stained or not.

    Ask it of the face's crop rather than of the scan: a colour target, a stamp or a mount beside a photograph says
    nothing of the face, and what `lock` takes away is decided by the crop alone.

    Args:
        pixels: the crop, as in `colour_evidence`.
        picture: `colour_evidence` of the whole picture, where it is known; it decides about a crop in doubt.

    Returns:
        True for one tone.

    Raises:
        ValueError: another shape or type.
        OperatorError: code `not_finite`.
    """
    evidence = colour_evidence(pixels)
    return evidence < 1.0 or (picture is not None and picture < 1.0 and evidence < _DOUBTFUL)


def lock(
    crop: NDArray[np.float32], restored: NDArray[np.float32], gray: bool = False, weights: Plane | None = None
) -> NDArray[np.float32]:
    """Give a restored face the tone of its original: restored luma, with the chroma that the original has at it.

    Luma beyond the original's range gets the chroma at the end of the range. Chroma that a very dark or bright pixel
    has no room for shrinks in proportion, so that luma is kept everywhere.

    Args:
        crop: (S, S, 3) float32 in [0, 1], RGB, the original.
        restored: (S', S', 3) float32 in [0, 1], RGB, the same square.
        gray: the original has no colour at all.
        weights: (S, S) float32, how much each pixel of the crop counts; None for all alike.

    Returns:
        (S', S', 3) float32 in [0, 1]; the three channels are equal when the original is grey, or so near to grey that
        its chroma is less than one 8-bit level.

    Raises:
        ValueError: another shape or type.
        OperatorError: code `not_finite`.
    """
    luma = np.clip(luma_of(restored), 0.0, 1.0)
    if gray:
        return _neutral(luma)
    view = view_of(crop)
    seen = None if weights is None else cv2.resize(weights, view.shape[1::-1], interpolation=cv2.INTER_AREA)
    tone = fit(view, None if seen is None else np.asarray(seen, dtype=np.float32))
    if np.percentile(np.hypot(*tone.chroma(luma_of(view))), 99.0) < _NEUTRAL:
        return _neutral(luma)
    return joined(luma, *tone.chroma(luma))


def _neutral(luma: Plane) -> NDArray[np.float32]:
    return np.repeat(luma[..., np.newaxis], 3, axis=-1)


def _mean_square(plane: Plane, cells: int) -> float:
    averaged = cv2.resize(plane, (cells, cells), interpolation=cv2.INTER_AREA)
    return float(np.mean(np.square(averaged, dtype=np.float64)))
