"""Where a face is to be made anew: white strokes that somebody painted on it, and the seam around such a place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.faces.mask import face_mask

Plane = NDArray[np.float32]
Region = NDArray[np.bool_]

_WHITE, _NEARLY = 250.0 / 255.0, 235.0 / 255.0
"""Least value of all three channels, in most of a stroke and anywhere in it: JPEG with halved chroma lets the colours
beside a stroke bleed into its edges."""
_WIDTH = 0.01
"""Least width of a stroke, as a part of the crop's side; GPEN was trained on 12 pixels and more at 1024. Catchlights
in eyes are narrower or not long enough."""
_LENGTH = 0.05
"""Least length of a stroke, likewise."""
_ON_FACE = 0.5
"""Part of a stroke, where it touches the face's oval, that must lie well inside: a white background or collar touches
the rim alone."""
_SEAM = 0.006
"""Width of the seam, as a part of the crop's side."""


def white_strokes(face: NDArray[np.float32], landmarks: Points) -> Region:
    """Find white strokes painted across a face.

    Blown-out skin cannot be told from paint; where a picture has it, a mask is the better way.

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.
        landmarks: (5, 2) float64 in crop pixels.

    Returns:
        (S, S) bool: the strokes, widened so that the seam lies on pixels that are not white.
    """
    side = face.shape[0]
    darkest = face.min(axis=2)
    thick = cv2.morphologyEx(
        (darkest >= _NEARLY).astype(np.uint8), cv2.MORPH_OPEN, _disk(max(1, round(_WIDTH * side / 2)))
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(thick, np.uint8), connectivity=8)
    oval = face_mask(landmarks, side)
    found = np.zeros((side, side), dtype=np.uint8)
    for label in range(1, count):
        extent = max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT])
        if extent < _LENGTH * side:
            continue
        stroke = labels == label
        touched = oval[stroke]
        on_face = (touched >= 0.5).sum() > _ON_FACE * (touched > 0.0).sum()
        if on_face and (darkest[stroke] >= _WHITE).mean() > 0.5:
            found[stroke] = 1
    return np.asarray(cv2.dilate(found, _disk(_seam_width(side) + 1)), np.uint8).astype(np.bool_)


def seam(mask: Plane) -> Plane:
    """Turn a mask into the share of the new face: 0 outside, rising inside along a narrow seam.

    Args:
        mask: (S, S) float32 in [0, 1].

    Returns:
        (S, S) float32 in [0, 1]: the mask times the rise; exactly 0 where the mask is 0.
    """
    region = (mask > 0.0).astype(np.uint8)
    if region.all():
        return mask
    inwards = np.asarray(cv2.distanceTransform(region, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    rise = np.clip(inwards / np.float32(_seam_width(mask.shape[0]) + 1), 0.0, 1.0)
    return np.asarray(mask * rise * rise * (3.0 - 2.0 * rise), dtype=np.float32)


def _seam_width(side: int) -> int:
    return max(2, round(_SEAM * side))


def _disk(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
