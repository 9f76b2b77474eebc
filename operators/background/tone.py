"""The tone of a whole picture, put back on what a network made of a part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from operators.background.resampled import Window
from operators.faces.tone import colour_evidence
from operators.faces.tone_curve import Pixels, Tone, chroma_of, fit, joined, luma_of, view_of

_NEUTRAL = 1.0 / 255.0
"""Chroma below this is no tone but noise of a grey picture."""


@dataclass(frozen=True)
class PictureTone:
    """The one tone that a picture has: sepia, a cyanotype's, or none, as of grey stored in three bands.

    Attributes:
        tone: chroma by luma and place.
        neutral: whether it has no chroma worth the name.
    """

    tone: Tone
    neutral: bool

    def put_on(self, made: NDArray[np.float32], window: Window, size: tuple[int, int]) -> NDArray[np.float32]:
        """Give a part of the picture the tone that the picture has there.

        Args:
            made: (h, w, 3) float32 in [0, 1], RGB.
            window: where the part lies in a picture of `size`.
            size: width and height.

        Returns:
            (h, w, 3) float32 in [0, 1]: the luma of `made`, and the picture's chroma.
        """
        luma = np.clip(luma_of(made), 0.0, 1.0)
        if self.neutral:
            return np.repeat(luma[..., np.newaxis], 3, axis=-1)
        return joined(luma, *_within(self.tone, window, size).chroma(luma))


def tone_of(view: Pixels) -> PictureTone | None:
    """The tone of a picture.

    Args:
        view: (H, W, 3) uint8, or float32 in [0, 1], of the whole picture, at any size; RGB.

    Returns:
        It; None for a picture with colours.
    """
    if colour_evidence(view) >= 1.0:
        return None
    small = view_of(view)
    tone = fit(small)
    chroma = np.hypot(*chroma_of(small, luma_of(small)))
    return PictureTone(tone, bool(np.percentile(chroma, 99.0) < _NEUTRAL))


def _within(tone: Tone, window: Window, size: tuple[int, int]) -> Tone:
    """The tone with its drift told in places of a window, which go from -1 to 1 across it as across the picture.

    With x = a u + b and y = c v + d, a quadratic in x and y is one in u and v.
    """
    (left, top, right, bottom), (width, height) = window, size
    a, b = (right - left) / width, (left + right) / width - 1.0
    c, d = (bottom - top) / height, (top + bottom) / height - 1.0
    one, x, y, xx, yy, xy = tone.drift
    drift = np.stack(
        [
            one + b * x + d * y + b * b * xx + d * d * yy + b * d * xy,
            a * (x + 2.0 * b * xx + d * xy),
            c * (y + 2.0 * d * yy + b * xy),
            a * a * xx,
            c * c * yy,
            a * c * xy,
        ]
    )
    return replace(tone, drift=drift)
