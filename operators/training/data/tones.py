"""What a network should make of a picture whose colours are gone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.tone import colour_evidence, is_toned, lock
from operators.faces.tone_curve import Plane, chroma_of, fit, luma_of, view_of

Pixels = NDArray[np.uint8]

_CELLS = 16
"""A side: few enough that noise of colour is averaged away, enough that a face is not one cell."""
_TOLD = 0.3
"""Correlation from which colours can be told. Faces of 256 pixels had at most 0.22 as prints, negatives and newspapers,
stained ones too, and 0.4 and more as faded, noisy and blurred colour. Of 64 pixels what is blurred or noisy falls
below it."""
_PLAIN = 3.5
"""Evidence of colour above which a picture has some, whatever became of it; that of stained prints is up to 3.2."""
_TINY = 1e-12


def in_its_tone(bad: Pixels, good: Pixels) -> Pixels:
    """The truth of a picture: the good one, or where its colours cannot be told, the good one's luma in its tone.

    The colours of a face cannot be told from a grey or sepia print of it. A network that is to guess them learns the
    mean's, and spends on them what it learns with; a restorer with `keep_tone` takes nothing but luma from it.

    Args:
        bad: (h, w, 3) uint8 RGB, as it is given to the network.
        good: (H, W, 3) uint8 RGB, of the same square.

    Returns:
        (H, W, 3) uint8; `good` itself where colours can be told, or where it has none and `bad` has some cast.
    """
    if not is_toned(bad) and (colours_told(bad, good) >= _TOLD or colour_evidence(bad) > _PLAIN or is_toned(good)):
        return good
    locked = lock(*(picture.astype(np.float32) / np.float32(255.0) for picture in (bad, good)))
    return np.asarray(np.rint(locked * np.float32(255.0)), np.uint8)


def colours_told(bad: Pixels, good: Pixels) -> float:
    """How far the colours of a degraded picture are those of the good one.

    From both is taken what follows from their luma, as a tone does. What remains of a coloured picture is colour; of a
    stained print it is stains, which have nothing to do with the good picture.

    Args:
        bad: (h, w, 3) uint8 RGB.
        good: (H, W, 3) uint8 RGB, of the same square.

    Returns:
        correlation of the remaining chroma over 16 x 16 cells, -1 to 1; 0 where one has none.
    """
    one, other = (_remaining(picture) for picture in (bad, good))
    return float((one * other).sum() / np.sqrt(np.square(one).sum() * np.square(other).sum() + _TINY))


def _remaining(picture: Pixels) -> Plane:
    """(2, 16, 16): chroma that the picture's tone does not explain."""
    view = view_of(picture)
    luma = luma_of(view)
    planes = zip(chroma_of(view, luma), fit(view).chroma(luma), strict=True)
    cells = (_CELLS, _CELLS)
    return np.stack([cv2.resize(own - tone, cells, interpolation=cv2.INTER_AREA) for own, tone in planes])
