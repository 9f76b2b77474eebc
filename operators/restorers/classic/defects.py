"""Finding white scratches and white dust on the skin of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.restorers.classic.facemap import highlights, skin
from operators.restorers.classic.sliding_dct import Plane

Mask = NDArray[np.uint8]

# Widest scratch and largest speck, as a share of the crop's side.
_WIDEST = 1.0 / 64.0

# A defect stands out by the first where it is clearest, and reaches as far as the second.
_SEED, _REACH = 0.16, 0.07

# Lost emulsion prints white: in its weakest channel the defect is this near to the brightest tones of the crop.
_WHITENESS = 0.8

# The defect's contrast is this many times the unrest around it; hair, cloth and lashes are restless.
_CLARITY = 4.0
_UNREST_PERCENTILE = 80.0

# A scratch's length in sides of the crop, its length in widths, how far it may bend, how much of it crosses skin.
_LEAST_LENGTH = 0.12
_LEAST_ELONGATION = 14.0
_WORST_BEND = 0.03
_LEAST_ON_SKIN = 0.4


@dataclass(frozen=True)
class _Part:
    """One connected part of the candidates, cut out with its surroundings.

    Attributes:
        window: where the cut lies in the picture.
        mask: which of its pixels belong to the part.
        plane: luma.
        relief: white top-hat of the luma.
        side: of the picture.
        radius: of the top-hat's disc.
    """

    window: tuple[slice, slice]
    mask: NDArray[np.bool_]
    plane: Plane
    relief: Plane
    side: int
    radius: int


def white_defects(face: NDArray[np.float32], landmarks: Points, scratches: bool, dust: bool) -> Mask:
    """Mark pixels of white scratches and white specks of dust.

    Both are parts of the white top-hat (the picture minus its opening; Serra 1982): brighter than their surroundings
    and narrow. A scratch is long, thin and nearly straight, a speck is small and compact. Either must be near white,
    lie on the skin, in quiet surroundings; a speck is not looked for in the eyes, under glasses, on the tip of the nose
    or in the mouth, where highlights belong. Dark defects are left alone: lashes, moles and frames of glasses look the
    same.

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.
        landmarks: (5, 2) float64 in pixels of `face`.
        scratches: look for scratches.
        dust: look for dust.

    Returns:
        (S, S) uint8, 255 where a defect is and 0 elsewhere.
    """
    plane = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), dtype=np.float32)
    side = plane.shape[0]
    found = np.zeros(plane.shape, dtype=np.uint8)
    radius = max(2, math.ceil(side * _WIDEST))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    relief = np.asarray(cv2.morphologyEx(plane, cv2.MORPH_TOPHAT, disc), dtype=np.float32)
    white = face.min(axis=2) > _WHITENESS * np.percentile(plane, 99.5)
    on_skin = skin(side, landmarks)
    of_face = highlights(side, landmarks)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        ((relief > _REACH) & white).astype(np.uint8), connectivity=8
    )
    reach = 2 * radius
    for label in range(1, count):
        left, top, width, height = (int(value) for value in boxes[label][:4])
        window = (slice(max(0, top - reach), top + height + reach), slice(max(0, left - reach), left + width + reach))
        part = _Part(window, labels[window] == label, plane[window], relief[window], side, radius)
        if part.relief[part.mask].max() < _SEED:
            continue
        is_scratch = scratches and _is_scratch(part, on_skin)
        is_speck = dust and _is_speck(part, on_skin & ~of_face)
        if (is_scratch or is_speck) and _stands_clear(part):
            found[window][part.mask] = 255
    # Half-covered pixels at the rim belong to the defect.
    return np.asarray(cv2.dilate(found, np.ones((5, 5), dtype=np.uint8)), dtype=np.uint8)


def _is_scratch(part: _Part, on_skin: NDArray[np.bool_]) -> bool:
    """Long, thin, nearly straight, and to a good part on the skin."""
    rows, columns = np.nonzero(part.mask)
    if on_skin[part.window][part.mask].mean() < _LEAST_ON_SKIN or len(rows) < _LEAST_LENGTH * part.side:
        return False
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along, aside = centred @ axes[:, 1], centred @ axes[:, 0]
    length = float(np.ptp(along)) + 1.0
    width = len(rows) / length
    return (
        length >= _LEAST_LENGTH * part.side
        and length >= _LEAST_ELONGATION * width
        and float(aside.std()) <= _WORST_BEND * length + width
    )


def _is_speck(part: _Part, allowed: NDArray[np.bool_]) -> bool:
    """Small, compact, and only where no highlight belongs."""
    rows, columns = np.nonzero(part.mask)
    extent = 1 + int(max(np.ptp(rows), np.ptp(columns)))
    small = len(rows) >= 2 and extent <= 2 * part.radius + 1
    compact = len(rows) >= 0.4 * extent**2
    return small and compact and bool(allowed[part.window][part.mask].all())


def _stands_clear(part: _Part) -> bool:
    """The surroundings are quiet compared with the contrast."""
    own = part.mask.astype(np.uint8)
    near = cv2.dilate(own, np.ones((7, 7), dtype=np.uint8))
    far = cv2.dilate(own, np.ones((4 * part.radius + 1,) * 2, dtype=np.uint8))
    around = (far > 0) & (near == 0)
    if int(around.sum()) < 20:
        return False
    # The top-hat of the surroundings: slow shading is no unrest, other bright detail is.
    unrest = float(np.percentile(part.relief[around], _UNREST_PERCENTILE))
    return float(part.relief[part.mask].mean()) >= _CLARITY * max(unrest, 1.0 / 255.0)
