"""Colour and light as the face papers change them. Each clips to [0, 1], as their code does."""

from __future__ import annotations

from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Plane, Size

Level = Annotated[float, Field(ge=-255.0, le=255.0)]
Factor = Annotated[float, Field(ge=0.0, le=10.0)]

_LUMA = np.array([0.2989, 0.587, 0.114], dtype=np.float32)
"""Of torchvision, which GFPGAN's jitter uses (ITU-R BT.601, rounded as in the standard's first edition)."""


class ColourShift(Degradation):
    """A constant added to each channel: the colour jitter of GFPGAN."""

    red: Level
    """In 8-bit levels."""
    green: Level
    """In 8-bit levels."""
    blue: Level
    """In 8-bit levels."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        shift = np.array([self.red, self.green, self.blue], dtype=np.float32) / np.float32(255.0)
        # Whole rows at once: NumPy is slow over a last axis of three.
        height, width = image.shape[:2]
        rows = image.reshape(height, width * 3) + np.tile(shift, width)
        return Degraded(_held(np.asarray(rows, dtype=np.float32).reshape(image.shape)))


class Brightness(Degradation):
    """All values times a factor: torchvision's `adjust_brightness`, in GFPGAN's second jitter."""

    factor: Factor
    """1 changes nothing."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        return Degraded(_held(image * np.float32(self.factor)))


class Contrast(Degradation):
    """Differences from the mean luma times a factor: torchvision's `adjust_contrast`."""

    factor: Factor
    """1 changes nothing; 0 leaves one grey."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        mean = np.float32(_luma(image).mean(dtype=np.float64))
        result = image - mean
        result *= np.float32(self.factor)
        result += mean
        return Degraded(_held(result))


class Saturation(Degradation):
    """Differences from the pixel's luma times a factor: torchvision's `adjust_saturation`."""

    version: ClassVar[str] = "2"

    factor: Factor
    """1 changes nothing; 0 leaves grey."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        # luma + factor (image - luma) is linear in the channels.
        mix = np.float32(self.factor) * np.eye(3, dtype=np.float32) + np.float32(1.0 - self.factor) * _LUMA
        return Degraded(_held(np.asarray(cv2.transform(image, mix), dtype=np.float32)))


class Hue(Degradation):
    """Hue turned in HSV: torchvision's `adjust_hue`."""

    turn: Annotated[float, Field(ge=-0.5, le=0.5)]
    """Of the full circle."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        hsv = np.asarray(cv2.cvtColor(_clipped(image), cv2.COLOR_RGB2HSV), dtype=np.float32)
        hue = np.asarray(cv2.extractChannel(hsv, 0), dtype=np.float32)
        hue += np.float32(360.0 * self.turn)
        # What lies within a turn of the circle needs no division to come back to it.
        if self.turn < 0.0:
            hue += np.float32(360.0) * (hue < 0.0)
        else:
            hue -= np.float32(360.0) * (hue >= np.float32(360.0))
        cv2.insertChannel(hue, hsv, 0)
        return Degraded(_held(np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dtype=np.float32)))


class Grey(Degradation):
    """Luma in all channels: OpenCV's, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The three channels are equal."""
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return Degraded(np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2RGB), dtype=np.float32))


class Haze(Degradation):
    """A veil of white: RestoreFormer++ (Wang et al. 2023); the scattering model of Koschmieder at one depth."""

    alpha: Annotated[float, Field(ge=0.0, le=1.0)]
    """Share of the picture that is left; the rest is white."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """A weighted mean with white."""
        result = image * np.float32(self.alpha)
        result += np.float32(1.0 - self.alpha)
        return Degraded(result)


class Exposure(Degradation):
    """All values times a factor: RestoreFormer++, which does this to the target as well (`both`)."""

    factor: Factor
    """1 changes nothing."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        return Degraded(_held(image * np.float32(self.factor)))


def _luma(image: Image) -> Plane:
    return np.asarray(image @ _LUMA, dtype=np.float32)


def _held(image: Image) -> Image:
    """Clipped to [0, 1] where it is: for what a step has just made."""
    return np.clip(image, np.float32(0.0), np.float32(1.0), out=image)


def _clipped(image: Image) -> Image:
    return np.clip(image, np.float32(0.0), np.float32(1.0))
