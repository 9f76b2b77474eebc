"""Whether a face comes from a JPEG file of low quality, and how strong the blocks are."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.restorers.classic.sliding_dct import Plane

_JPEG_BLOCK = 8.0
_SMALLEST = 96

# Second differences above this are edges of the picture; the steps between blocks are small.
_CAP = np.float32(8.0 / 255.0)

# A grid stands this far above the median of its neighbourhood in the spectrum, at its first and its second harmonic.
# 14 portraits without compression below quality 95 stayed under 6 at one of the two; quality 60 reached 7.5 and more.
_LEAST_PEAK = 6.0

# Half the breadth of that neighbourhood, in frequencies of the grid.
_NEIGHBOURHOOD = 0.25


def block_step(plane: Plane, reduction: float) -> float:
    """Size of the steps between JPEG blocks, found without knowing where the blocks lie or how they are turned.

    An aligned crop is turned and scaled, so its blocks do not lie on its rows and columns. But the length of their
    sides is known, 8 / `reduction` pixels: in the spectrum of the picture's second differences they are peaks on
    circles of known radius, in pairs at a right angle.

    Args:
        plane: (S, S) float32 luma in [0, 1].
        reduction: source pixels per pixel of `plane`.

    Returns:
        Amplitude of the first harmonic in 8-bit levels, about 0.3 at JPEG quality 60 and 0.85 at quality 20; 0 when no
        grid is found, or when the picture is too small or too reduced to show one.
    """
    side = plane.shape[0]
    frequency = reduction / _JPEG_BLOCK
    if side < _SMALLEST or 2.0 * frequency > 0.45 or frequency * side < 8.0:
        return 0.0
    window = np.hanning(side).astype(np.float32)
    # No more of the spectrum than the neighbourhood of the second harmonic reaches.
    highest = min(math.ceil((2.0 + _NEIGHBOURHOOD) * frequency * side), (side - 1) // 2)
    pairs = _paired_spectrum(plane, window, highest)
    waves = np.fft.fftfreq(2 * highest + 1) * (2 * highest + 1) / side
    radius = np.hypot(waves[:, np.newaxis], waves[np.newaxis])
    nearest = max(1.2 / side, 0.015 * frequency)
    peaks = [_peak(pairs, radius, harmonic * frequency, nearest, _NEIGHBOURHOOD * frequency) for harmonic in (1, 2)]
    if any(peak < _LEAST_PEAK * floor for peak, floor in peaks):
        return 0.0
    return peaks[0][0] * 2.0 / float(window.sum(dtype=np.float64)) ** 2 * 255.0


def _paired_spectrum(plane: Plane, window: Plane, highest: int) -> NDArray[np.float64]:
    """At each frequency the smaller of the spectrum's magnitudes here and a quarter turn away.

    Returns:
        (2 * highest + 1,) squared; the waves per side are 0 to highest and -highest to -1 along either axis.
    """
    second, none = np.array([1, -2, 1], dtype=np.float32), np.array([0, 1, 0], dtype=np.float32)
    steps = np.zeros_like(plane)
    for across, down in ((second, none), (none, second)):
        steps += np.minimum(np.abs(cv2.sepFilter2D(plane, cv2.CV_32F, across, down)), _CAP)
    steps = (steps - steps.mean()) * window[:, np.newaxis] * window
    half = np.fft.fft(np.fft.rfft(steps, axis=1)[:, : highest + 1], axis=0)
    half = np.abs(np.concatenate([half[: highest + 1], half[len(half) - highest :]]))
    opposite = -np.arange(len(half))  # a real picture's spectrum is as large at the negative of a frequency
    magnitude = np.concatenate([half, half[opposite, :0:-1]], axis=1)
    # Frequency (u, v) turned by a quarter is (v, -u).
    return np.asarray(np.minimum(magnitude, magnitude[:, opposite].T), dtype=np.float64)


def _peak(
    pairs: NDArray[np.float64], radius: NDArray[np.float64], frequency: float, nearest: float, neighbourhood: float
) -> tuple[float, float]:
    """Largest value on the circle of one frequency, and the median around the circle."""
    distance = np.abs(radius - frequency)
    return float(pairs[distance < nearest].max()), float(np.median(pairs[distance < neighbourhood]))
