"""What white defects have in common: they are narrow, bright, near white, and stand out from quiet surroundings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.restorers.classic.sliding_dct import Plane

Window = tuple[slice, slice]
Flags = NDArray[np.bool_]

# Widest scratch and largest speck, as a share of the crop's side.
_WIDEST = 1.0 / 64.0

# A defect stands out by the first where it is clearest, and reaches as far as the second.
_SEED, _REACH = 0.16, 0.07

# Lost emulsion prints white: the defect's weakest channel, as shares of the brightest tones of the crop, anywhere in it
# and where it is whitest. Blond hair, gold frames and highlights on skin have a weaker blue.
_WHITISH, _WHITE = 0.6, 0.78

# The defect's contrast is this many times the unrest around it; hair, cloth and lashes are restless.
_CLARITY = 4.0
_UNREST_PERCENTILE = 80.0


@dataclass(frozen=True)
class Relief:
    """What of a face could be a white defect.

    Attributes:
        luma: (S, S) float32 in [0, 1].
        height: (S, S) float32, white top-hat of the luma: how far a pixel stands out from its surroundings.
        whiteness: (S, S) float32, weakest channel as a share of the crop's brightest tones.
        candidates: (S, S) bool, pixels that stand out and are whitish.
        radius: of the top-hat's disc in pixels; what is wider than it does not stand out.
    """

    luma: Plane
    height: Plane
    whiteness: Plane
    candidates: Flags
    radius: int


def relief(face: NDArray[np.float32]) -> Relief:
    """Take the white top-hat of a face (the picture minus its opening by a disc; Serra 1982).

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.

    Returns:
        The parts that could be defects.
    """
    luma = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), dtype=np.float32)
    radius = max(2, math.ceil(luma.shape[0] * _WIDEST))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    height = np.asarray(cv2.morphologyEx(luma, cv2.MORPH_TOPHAT, disc), dtype=np.float32)
    brightest = max(float(np.percentile(luma, 99.5)), 1.0 / 255.0)
    red, green, blue = cv2.split(face)
    whiteness = np.asarray(cv2.min(cv2.min(red, green), blue) / np.float32(brightest), dtype=np.float32)
    return Relief(luma, height, whiteness, (height > _REACH) & (whiteness > _WHITISH), radius)


def parts(flags: Flags, reach: int, least: int = 1, most: int | None = None) -> list[tuple[Window, Flags]]:
    """Connected parts (8 neighbours), each cut out with `reach` pixels around it.

    Args:
        flags: (H, W) bool.
        reach: margin in pixels, cut at the border.
        least: pixels that the larger side of a part's box has at the least; smaller parts are left out.
        most: pixels that it has at the most; None for no limit.

    Returns:
        For each part the window it was cut from and its own pixels there, in label order.
    """
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(flags.view(np.uint8), connectivity=8)
    found: list[tuple[Window, Flags]] = []
    for label, (left, top, width, height, _) in enumerate(boxes.tolist()):
        if label == 0 or max(width, height) < least or (most is not None and max(width, height) > most):
            continue
        window = (slice(max(0, top - reach), top + height + reach), slice(max(0, left - reach), left + width + reach))
        found.append((window, labels[window] == label))
    return found


def extent(own: Flags) -> int:
    """Larger side of the upright box around a part's pixels; 0 when it has none."""
    return int(max(cv2.boundingRect(own.view(np.uint8))[2:]))


def stands_clear(shape: Relief, window: Window, own: Flags) -> bool:
    """Whether a part is bright, white, and in surroundings that are quiet compared with its contrast.

    Args:
        shape: of the whole face.
        window: where the part was cut from, with at least 2 * radius around it.
        own: the part's pixels in the window.

    Returns:
        True for a part that may be filled.
    """
    height, whiteness = shape.height[window], shape.whiteness[window]
    if height[own].max() < _SEED or np.percentile(whiteness[own], 75.0) < _WHITE:
        return False
    part = own.astype(np.uint8)
    near = cv2.dilate(part, np.ones((7, 7), dtype=np.uint8))
    far = cv2.dilate(part, np.ones((4 * shape.radius + 1,) * 2, dtype=np.uint8))
    # Other candidates are left out of the surroundings: a crossing scratch is no unrest.
    around = (far > 0) & (near == 0) & ~shape.candidates[window]
    if int(around.sum()) < 20:
        return False
    # The top-hat of the surroundings: slow shading is no unrest, other bright detail is.
    unrest = float(np.percentile(height[around], _UNREST_PERCENTILE))
    return float(height[own].mean()) >= _CLARITY * max(unrest, 1.0 / 255.0)
