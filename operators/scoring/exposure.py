"""How the tones of a picture are spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from operators.scoring.planes import Plane

# Two levels of 8 bits from black and from white: scans seldom reach the very ends.
_MARGIN = 2.0 / 255.0


@dataclass(frozen=True)
class Exposure:
    """Tones of a picture, each in [0, 1].

    Attributes:
        brightness: mean luma.
        contrast: standard deviation of the luma.
        clipped_shadows: fraction of pixels at most two 8-bit levels above black.
        clipped_highlights: fraction of pixels at most two 8-bit levels below white.
    """

    brightness: float
    contrast: float
    clipped_shadows: float
    clipped_highlights: float


def exposure(plane: Plane) -> Exposure:
    """Measure the tones of a luma plane.

    Args:
        plane: (H, W) float32 in [0, 1], at least one pixel.

    Returns:
        The four numbers.
    """
    return Exposure(
        brightness=float(plane.mean(dtype=np.float64)),
        contrast=float(plane.std(dtype=np.float64)),
        clipped_shadows=float(np.mean(plane <= _MARGIN)),
        clipped_highlights=float(np.mean(plane >= 1.0 - _MARGIN)),
    )
