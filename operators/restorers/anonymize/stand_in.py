"""Another face in the place of one: turned, sized, toned and lit like it, and soft around."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.faces.geometry import similarity, transform
from operators.faces.mask import face_mask
from operators.faces.resample import warp
from operators.faces.templates import template_points
from operators.images.colour import LUMA
from operators.restorers.anonymize.obscure import blurred
from operators.restorers.anonymize.region import unit_of

MEAN_FACE = "mean-face.webp"
_CELL = 1.0
"""Cells of what is around the face inside the oval, in distances between the eyes: hair and background as a haze."""
_COLOURFUL = 0.012
"""Spread of hues from which on a face counts as one in colours; a toned print has some 0.001, a portrait 0.016."""
_CONTRAST = (0.5, 1.6)
"""Limits of the factor by which a stand-in's contrast is brought to that of the face."""


@cache
def mean_face() -> NDArray[np.float32]:
    """The mean of many portraits, (256, 256, 3) float32 in [0, 1], RGB, FFHQ alignment; see `data/NOTICE.md`."""
    data = np.frombuffer((files("operators") / "data" / MEAN_FACE).read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(np.asarray(pixels[..., ::-1], np.float32) / np.float32(255), np.float32)


def stand_in(crop: NDArray[np.float32], landmarks: Points, face: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put another face in the place of one.

    Of the old face it takes where it is, how it is turned in the plane, its mean colour, its contrast and from which
    side the light comes; of those the colours are means over cells as large as the distance between the eyes.

    Args:
        crop: (S, S, 3) float32 in [0, 1].
        landmarks: (5, 2) float64 in its pixels.
        face: (T, T, 3) float32 in [0, 1], FFHQ alignment.

    Returns:
        (S, S, 3) float32 in [0, 1].

    Raises:
        OperatorError: code `bad_landmarks`.
    """
    size = crop.shape[0]
    affine = similarity(template_points("ffhq", face.shape[0]), landmarks)
    shown = np.clip(warp(face, affine, (size, size)), 0.0, 1.0)
    own = transform(template_points("ffhq", face.shape[0]), affine)
    unit = unit_of(own)
    around = blurred(crop, _CELL * unit)
    mask = face_mask(own, size)
    toned = _toned(shown, crop, around, mask, unit)
    return np.clip(around + mask[..., None] * (toned - around), 0.0, 1.0).astype(np.float32)


def _toned(
    shown: NDArray[np.float32],
    crop: NDArray[np.float32],
    around: NDArray[np.float32],
    mask: NDArray[np.float32],
    unit: float,
) -> NDArray[np.float32]:
    """The stand-in with the light of the old face: its coarse colours are replaced, its detail is scaled."""
    coarse = blurred(shown, _CELL * unit)
    fine = shown - coarse
    detail = np.asarray((fine @ LUMA)[..., None], np.float32)
    # Of a picture of one tone, gray or sepia, the stand-in's own colours have no part.
    colourful = np.float32(min(_spread_of_hues(crop, mask) / _COLOURFUL, 1.0))
    fine = detail + colourful * (fine - detail)
    low, high = _CONTRAST
    factor = np.clip(_deviation(crop, around, mask) / max(_deviation(shown, coarse, mask), 1e-3), low, high)
    return np.asarray(around + np.float32(factor) * fine, np.float32)


def _spread_of_hues(crop: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
    """How far colours under a mask lie from their mean, beside their light: mean absolute difference, 0 to 1."""
    chroma = crop - (crop @ LUMA)[..., None]
    total = max(float(mask.sum(dtype=np.float64)), 1.0)
    mean = (chroma * mask[..., None]).sum(axis=(0, 1), dtype=np.float64) / total
    return float((np.abs(chroma - mean) * mask[..., None]).sum(dtype=np.float64) / (3 * total))


def _deviation(crop: NDArray[np.float32], coarse: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
    """Standard deviation of the luma's detail under a mask."""
    fine = (crop - coarse) @ LUMA
    return float(np.sqrt((fine * fine * mask).sum(dtype=np.float64) / max(float(mask.sum(dtype=np.float64)), 1.0)))
