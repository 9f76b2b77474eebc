"""Old lenses, and the scanners that came after."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.fields import cloud, scale_of, smoothstep
from operators.degradations.filtering import gaussian
from operators.degradations.layers import GAMMA, between, clipped, in_channels
from operators.degradations.normals import standard_normal

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Pixels = Annotated[float, Field(ge=0.0, le=64.0)]


class OldLens(Degradation):
    """Vignetting, a curved field and a soft glow.

    Light falls off with the fourth power of the cosine of the field angle; the sharp image lies on a curved surface
    (Petzval), so that portraits by lenses before the anastigmats of the 1890s are sharp in the middle and soft, along
    circles, at the rim; spherical aberration veils lights with a glow (Kingslake, "A History of the Photographic Lens",
    1989).
    """

    version: ClassVar[str] = "2"

    field: Annotated[float, Field(ge=0.0, le=60.0)] = 20.0
    """Half the angle of view over the diagonal, degrees."""
    centre: Pixels = 0.8
    """Standard deviation of the blur in the middle, pixels at a shorter side of 1024."""
    rim: Pixels = 4.0
    """And in the corners."""
    swirl: Share = 0.5
    """Share of the blur's radial part that is missing: astigmatism, which draws along circles."""
    glow: Share = 0.08
    """Share of the light that goes into the glow."""
    glow_width: Annotated[float, Field(ge=1.0, le=256.0)] = 20.0
    """Standard deviation of the glow, pixels at a shorter side of 1024."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """In [0, 1], worked in linear light."""
        height, width = size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        light = np.power(clipped(image), np.float32(GAMMA))
        y, x = np.mgrid[:height, :width].astype(np.float32)
        x, y = x - np.float32((width - 1) / 2.0), y - np.float32((height - 1) / 2.0)
        radius = np.hypot(x, y) / np.float32(math.hypot(height, width) / 2.0)
        light = _blur(light, self.centre * scale)
        if self.rim > self.centre:
            # A turn blurs in proportion to the radius by itself; the round blur is let in towards the rim.
            light = light + np.float32(self.swirl) * (self._turned(light, size) - light)
            outer = _blur(light, math.sqrt(self.rim**2 - self.centre**2) * scale)
            light = between(light, outer, np.float32(1.0 - self.swirl) * smoothstep(0.2, 1.0, radius))
        if self.glow > 0.0:
            light = light + np.float32(self.glow) * (_blur(light, self.glow_width * scale) - light)
        angle = np.arctan(radius * np.float32(math.tan(math.radians(self.field))))
        light = light * in_channels(np.power(np.cos(angle), np.float32(4.0)))
        return Degraded(np.power(clipped(light), np.float32(1.0 / GAMMA)))

    def _turned(self, light: Image, size: Size) -> Image:
        """The mean of the picture turned a little to both sides: blur along circles."""
        height, width = size
        reach = 2.0 * self.rim * scale_of((height, width)) / (math.hypot(height, width) / 2.0)
        total = np.zeros_like(light)
        turns = np.linspace(-reach, reach, 7)
        weights = np.exp(-0.5 * (turns / (reach / 2.0)) ** 2)
        for turn, weight in zip(turns, weights / weights.sum(), strict=True):
            matrix = cv2.getRotationMatrix2D(((width - 1) / 2.0, (height - 1) / 2.0), math.degrees(float(turn)), 1.0)
            moved = cv2.warpAffine(light, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            total += np.float32(weight) * np.asarray(moved, dtype=np.float32)
        return total


class ScannerNoise(Degradation):
    """Noise of a line sensor: of light, in proportion to its root, and of the electronics, the same everywhere.

    The photon transfer curve (Janesick, "Photon Transfer", 2007). Dark parts of dense originals show most of it.
    """

    version: ClassVar[str] = "2"

    shot: Annotated[float, Field(ge=0.0, le=60.0)] = 2.0
    """Standard deviation of the light's noise at white, 8-bit levels."""
    read: Annotated[float, Field(ge=0.0, le=60.0)] = 1.0
    """Of the electronics, 8-bit levels."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        variance = np.float32((self.shot / 255.0) ** 2) * clipped(image) + np.float32((self.read / 255.0) ** 2)
        noise = standard_normal(generator, image.shape) * np.sqrt(variance)
        return Degraded(clipped(image + noise))


class Banding(Degradation):
    """Lines along the scan: sensor elements whose gain was not calibrated, and a lamp that flickers.

    A line sensor draws every fault of an element into a line (photo response non-uniformity); its illumination changes
    from line to line across them.
    """

    elements: Annotated[float, Field(ge=0.0, le=60.0)] = 1.5
    """Standard deviation of the elements' gains, 8-bit levels at white."""
    lamp: Annotated[float, Field(ge=0.0, le=60.0)] = 1.0
    """Standard deviation of the lamp's flicker, likewise."""
    period: Annotated[float, Field(ge=1.0, le=1024.0)] = 24.0
    """Width of the flicker, pixels at a shorter side of 1024."""
    along: bool = False
    """Whether the sensor moved along x; down by default."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        height, width = image.shape[:2]
        across, lines = (height, width) if self.along else (width, height)
        gain = generator.standard_normal((1, across, 3), dtype=np.float32) * np.float32(self.elements / 255.0)
        flicker = cloud(generator, (lines, 1), self.period * scale_of((height, width)), octaves=2)[:, :, None]
        field = 1.0 + gain + flicker * np.float32(self.lamp / 255.0)
        if self.along:
            field = field.swapaxes(0, 1)
        return Degraded(clipped(image * np.asarray(field, dtype=np.float32)))


class Misregistration(Degradation):
    """Colours that do not meet: three lines of a sensor that see a place one after the other.

    FADGI's "Technical Guidelines for Digitizing Cultural Heritage Materials" hold good scanners to parts of a pixel.
    """

    red_x: Annotated[float, Field(ge=-64.0, le=64.0)]
    """Shift of red against green, pixels at a shorter side of 1024, to the right."""
    red_y: Annotated[float, Field(ge=-64.0, le=64.0)]
    """And down."""
    blue_x: Annotated[float, Field(ge=-64.0, le=64.0)]
    """Shift of blue against green, to the right."""
    blue_y: Annotated[float, Field(ge=-64.0, le=64.0)]
    """And down."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Bilinear; the border is repeated."""
        height, width = image.shape[:2]
        scale = scale_of((height, width))
        result = image.copy()
        for channel, x, y in ((0, self.red_x, self.red_y), (2, self.blue_x, self.blue_y)):
            matrix = np.array([[1.0, 0.0, x * scale], [0.0, 1.0, y * scale]])
            plane = np.ascontiguousarray(image[:, :, channel])
            result[:, :, channel] = cv2.warpAffine(plane, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return Degraded(result)


def _blur(light: Image, sigma: float) -> Image:
    if sigma < 0.2:
        return light
    return gaussian(light, 2 * math.ceil(4.0 * sigma) + 1, sigma)
