"""From what a parsing network says of each pixel to the soft shape inside which a restored face is pasted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.faces.mask import face_mask

Plane = NDArray[np.float32]
Region = NDArray[np.bool_]

OUTSIDE = (0, 14, 16, 17, 18)
"""Classes of the 19 that are not the face: background, hat, necklace, neck, clothes. Hair, ears, glasses are inside."""
CLASSES = 19

_SOFT = 15.5 / 512
"""Standard deviation of the blur, as a part of the side: what two blurs of 11 pixels at 512 make, which peers use."""
_BORDER = 0.06
"""Part of the side along which the mask sinks to nothing at the crop's border, as `face_mask` has it."""
_REACH = 1.6
"""How far from the face, in radii of the landmarks' oval, what is parsed may lie: hair does, a neighbour does not."""
_LEAST = 0.4
"""Part of the landmarks' oval that must be parsed as face; else the network did not see it."""


def face_region(logits: NDArray[np.float32]) -> Region:
    """Take the pixels whose most likely class belongs to the face; of equal classes the first counts.

    Args:
        logits: (CLASSES, S, S) float32.

    Returns:
        (S, S) bool.

    Raises:
        ValueError: another number of classes.
    """
    if logits.ndim != 3 or logits.shape[0] != CLASSES:
        raise ValueError(f"logits of shape {logits.shape}: expected ({CLASSES}, S, S)")
    return ~np.isin(logits.argmax(axis=0), OUTSIDE)


def soft_mask(region: Region) -> Plane:
    """Soften a region's edge, inwards only.

    The region is blurred, and the blur's upper half stretched to 0 to 1: a pixel that is not the face's stays 0 (at a
    straight edge; a narrow cleft fills a little), so no hat and no collar is painted over. Peers keep the whole blur,
    which lies half outside.

    Args:
        region: (S, S) bool.

    Returns:
        (S, S) float32 in [0, 1]; exactly 0 on the outermost pixels.
    """
    side = region.shape[0]
    blurred = cv2.GaussianBlur(
        region.astype(np.float32), (0, 0), max(_SOFT * side, 0.5), borderType=cv2.BORDER_REPLICATE
    )
    pixels = np.arange(side, dtype=np.float32)
    edge = np.minimum(pixels, side - 1 - pixels) / np.float32(_BORDER * side)
    mask = _smoothstep(2.0 * np.asarray(blurred, np.float32) - 1.0) * _smoothstep(np.minimum.outer(edge, edge))
    return np.asarray(mask, dtype=np.float32)


def with_landmarks(mask: Plane, landmarks: Points) -> tuple[Plane, bool]:
    """Combine a parsed shape with what the landmarks say of the face.

    What is parsed as face but lies far from it, or is not joined to it, is another face of a group and is left out.
    Where the parsed shape covers too little of the landmarks' oval, the network did not see the face, and the oval
    takes its place.

    Args:
        mask: (S, S) float32 in [0, 1], from `soft_mask`.
        landmarks: (5, 2) float64 in pixels of the mask.

    Returns:
        (S, S) float32 in [0, 1], 0 on the outermost pixels, and whether it is the oval that took the place.
    """
    side = mask.shape[0]
    oval = face_mask(landmarks, side)
    core = oval >= 0.5
    if mask[core].sum() < _LEAST * core.sum():
        return oval, True
    # The same oval about a smaller face whose landmarks are spread from their middle.
    middle = landmarks.mean(axis=0)
    reach = face_mask(middle + (landmarks - middle) * _REACH, side)
    near = mask * np.asarray(reach > 0.0, np.float32) * reach
    _, labels = cv2.connectedComponents((near > 0.0).astype(np.uint8), connectivity=8)
    own = np.unique(labels[core & (near > 0.0)])
    return np.asarray(near * np.isin(labels, own[own > 0]), dtype=np.float32), False


def _smoothstep(values: Plane) -> Plane:
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
