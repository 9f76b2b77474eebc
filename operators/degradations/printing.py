"""Printing presses: halftone screens."""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Plane, Size
from operators.degradations.fields import scale_of
from operators.degradations.layers import GAMMA, clipped, luma

Share = Annotated[float, Field(ge=0.0, le=1.0)]

_INKS = {
    "cyan": (15.0, (0.02, 0.40, 0.80)),
    "magenta": (75.0, (0.78, 0.05, 0.26)),
    "yellow": (0.0, (0.96, 0.84, 0.06)),
    "black": (45.0, (0.03, 0.03, 0.03)),
}
"""Screen angle in degrees, and the linear light that a full layer lets back, red, green and blue."""


class Halftone(Degradation):
    """A clustered-dot screen: tones as dots of different size.

    Angles are those of the trade: black at 45 degrees where the eye sees a pattern least, cyan and magenta 30 to each
    side, yellow between (Kipphan, "Handbook of Print Media", 2001; ISO 12647-1). Dots grow in print, most in the middle
    tones (tone value increase, ISO 12647-2). Overprinted inks multiply (Neugebauer 1937); light adds over their areas
    (Murray and Davies 1936).
    """

    period: Annotated[float, Field(ge=2.0, le=64.0)]
    """Distance of the dots, pixels at a shorter side of 1024; never below 2 of the picture's own."""
    inks: Literal["black", "process"] = "black"
    """One plate, or cyan, magenta, yellow and black."""
    angle: Annotated[float, Field(ge=-180.0, le=180.0)] = 0.0
    """Degrees added to every plate's own."""
    gain: Annotated[float, Field(ge=0.0, le=0.4)] = 0.12
    """Growth of a dot that should cover half."""
    misfit: Annotated[float, Field(ge=0.0, le=32.0)] = 0.0
    """Standard deviation of the plates' misregister, pixels at a shorter side of 1024."""
    bleed: Annotated[float, Field(ge=0.0, le=8.0)] = 0.7
    """Standard deviation of the blur of ink and scanner, likewise."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """In [0, 1]; paper is white, its colour another step's affair."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        light = np.ones((*size, 3), dtype=np.float32)
        for name, coverage in self._plates(clipped(image)).items():
            angle, ink = _INKS[name]
            shift = generator.standard_normal(2) * self.misfit * scale * (self.inks == "process")
            phase = generator.random(2)
            moved = _moved(coverage, shift) if self.inks == "process" else coverage
            grown = np.clip(moved + 4.0 * self.gain * moved * (1.0 - moved), 0.0, 1.0)
            dots = screen(np.asarray(grown, np.float32), max(2.0, self.period * scale), angle + self.angle, phase)
            light *= 1.0 - dots[:, :, None] * (1.0 - np.asarray(ink, dtype=np.float32))
        if self.bleed * scale >= 0.3:
            light = np.asarray(cv2.GaussianBlur(light, (0, 0), self.bleed * scale), dtype=np.float32)
        return Degraded(np.power(clipped(light), np.float32(1.0 / GAMMA)))

    def _plates(self, image: Image) -> dict[str, Plane]:
        """Share of the paper that each ink should cover."""
        if self.inks == "black":
            return {"black": np.asarray(1.0 - np.power(luma(image), np.float32(GAMMA)), dtype=np.float32)}
        colours = 1.0 - np.power(image, np.float32(GAMMA))
        # Black takes over part of what all three have in common (grey component replacement).
        black = np.float32(0.8) * np.square(colours.min(axis=2))
        rest = (colours - black[:, :, None]) / np.maximum(1.0 - black[:, :, None], np.float32(1e-3))
        names = ("cyan", "magenta", "yellow")
        return {name: np.ascontiguousarray(rest[:, :, index]) for index, name in enumerate(names)} | {"black": black}


def screen(coverage: Plane, period: float, angle: float, phase: NDArray[np.float64]) -> Plane:
    """Tones to dots whose mean is the tone.

    Args:
        coverage: (H, W) float32 in [0, 1], share to be covered.
        period: distance of the dots, pixels.
        angle: of the screen, degrees.
        phase: two shares of the period.

    Returns:
        (H, W) float32 in [0, 1]: share of each pixel that is covered; dots at first, holes above one half.
    """
    height, width = coverage.shape
    turn, pitch = math.radians(angle), 2.0 * math.pi / period
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    across = np.cos(pitch * (x * math.cos(turn) + y * math.sin(turn)) + 2.0 * math.pi * phase[0], dtype=np.float32)
    along = np.cos(pitch * (y * math.cos(turn) - x * math.sin(turn)) + 2.0 * math.pi * phase[1], dtype=np.float32)
    heights, ranks = _spot_ranks()
    rank = np.interp((across + along).ravel(), heights, ranks).reshape(height, width).astype(np.float32)
    # A rank rises by about this much within a pixel: over it a dot's edge goes from ink to paper.
    ramp = np.float32(min(1.0, 2.2 / period))
    return np.asarray(np.clip((_threshold(coverage, ramp) - rank) / ramp, 0.0, 1.0), dtype=np.float32)


def _threshold(coverage: Plane, ramp: np.float32) -> Plane:
    """Where the edge's ramp must begin for its mean over all ranks to be the coverage, and for 0 and 1 to stay so."""
    light = np.sqrt(2.0 * ramp * np.minimum(coverage, ramp / 2.0))
    dark = 1.0 + ramp - np.sqrt(2.0 * ramp * np.minimum(1.0 - coverage, ramp / 2.0))
    middle = coverage + ramp / 2.0
    chosen = np.where(coverage < ramp / 2.0, light, np.where(coverage > 1.0 - ramp / 2.0, dark, middle))
    return np.asarray(chosen, dtype=np.float32)


@cache
def _spot_ranks() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of a cell that lies above each height of the spot function cos + cos, over heights that rise."""
    axis = np.cos((np.arange(512) + 0.5) * (2.0 * math.pi / 512))
    heights = np.sort(np.add.outer(axis, axis).ravel())
    picked = np.linspace(0, heights.size - 1, 2049).astype(np.intp)
    return heights[picked], 1.0 - (picked + 0.5) / heights.size


def _moved(plane: Plane, shift: NDArray[np.float64]) -> Plane:
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    height, width = plane.shape
    moved = cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)
