"""Taking back what light and time did to the tones of a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH = 1.0, 99.0

# Where the black of a well-kept face lies at most, and its white at least.
_BLACK, _WHITE = 0.08, 0.85

# A steeper slope would show noise and steps of the scan rather than the face.
_STEEPEST = 2.5


def unfaded(face: NDArray[np.float32], strength: float, gray: bool) -> NDArray[np.float32]:
    """Put lifted blacks down and stretch the tones, by a share.

    Percentile 1 of each channel is its black. What lies above the black of a well-kept face is veil and is taken off
    channel by channel, which also removes a cast of the shadows. One slope for all channels then moves percentile 99
    of the brightest to white. A cast of the light tones stays: skin has no neutral tone by which it could be told.
    A face that has black and white is not changed.

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.
        strength: 0 (nothing) to 1 (all of it).
        gray: the channels are equal and must stay so.

    Returns:
        (S, S, 3) float32 in [0, 1].
    """
    if strength <= 0.0:
        return face
    channels = (face[..., :1] if gray else face).astype(np.float64)
    low, high = np.percentile(channels.reshape(-1, channels.shape[2]), (_LOW, _HIGH), axis=0)
    veil = np.maximum(0.0, low - _BLACK)
    black, span = float((low - veil).min()), float((high - veil).max())
    slope = float(np.clip((_WHITE - black) / max(span - black, 1e-3), 1.0, _STEEPEST))
    corrected = (channels - veil - black) * slope + black
    result = np.clip(channels + strength * (corrected - channels), 0.0, 1.0)
    return np.ascontiguousarray(np.broadcast_to(result.astype(np.float32), face.shape))
