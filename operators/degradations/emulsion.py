"""What emulsion and development make of a scene: tones, grain, unevenness."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.fields import cloud, grainy, scale_of
from operators.degradations.layers import GAMMA, clipped, density, from_density, in_channels, luma

_SENSITIVITY = {
    "panchromatic": (0.30, 0.38, 0.32),
    "orthochromatic": (0.03, 0.47, 0.50),
    "blue": (0.00, 0.10, 0.90),
}
_MIDDLE = 0.18
"""Linear reflectance that a normal exposure puts in the middle of the scale."""


class Emulsion(Degradation):
    """Black and white as an emulsion sees it: its sensitivity to colours, then its characteristic curve.

    Until the 1880s plates saw blue and violet alone, until the 1920s mostly no red (orthochromatic): skin and lips are
    darker, blue eyes and skies lighter than to a panchromatic film (Mees and James, "The Theory of the Photographic
    Process", on spectral sensitisation). Density against the logarithm of exposure is the S of Hurter and Driffield
    (1890), here a logistic curve from the paper's white to its deepest black.
    """

    sensitivity: Literal["panchromatic", "orthochromatic", "blue"] = "panchromatic"
    """To which colours."""
    contrast: Annotated[float, Field(ge=0.2, le=4.0)] = 1.0
    """Slope in the middle; 1 is that of the source."""
    exposure: Annotated[float, Field(ge=-4.0, le=4.0)] = 0.0
    """Stops (factors of two) more or less than normal."""
    black: Annotated[float, Field(ge=0.0, le=0.5)] = 0.03
    """Display value of the deepest black: papers reach densities of 1.2 to 2.1."""
    white: Annotated[float, Field(ge=0.5, le=1.0)] = 0.97
    """Display value of bare paper."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The three channels are equal."""
        linear = np.power(clipped(image), np.float32(GAMMA)) @ np.asarray(_SENSITIVITY[self.sensitivity], np.float32)
        scene = np.log10(np.maximum(linear, np.float32(1e-4))) + np.float32(self.exposure * math.log10(2.0))
        low, high = self._curve(np.array([-3.0, 0.0], dtype=np.float32))
        share = np.clip((self._curve(np.asarray(scene, np.float32)) - low) / (high - low), 0.0, 1.0)
        tone = np.float32(self.black) + share * np.float32(self.white - self.black)
        return Degraded(in_channels(np.asarray(tone, dtype=np.float32)))

    def _curve(self, exposure: Image) -> Image:
        """Logistic in log10 of exposure, with the slope of the display's own curve in the middle for contrast 1."""
        middle = _MIDDLE ** (1.0 / GAMMA)
        slope = self.contrast * (math.log(10.0) / GAMMA) / (1.0 - middle)
        inner = slope * (exposure - math.log10(_MIDDLE)) + math.log(middle / (1.0 - middle))
        return np.asarray(1.0 / (1.0 + np.exp(-inner)), dtype=np.float32)


class Grain(Degradation):
    """Film grain, strongest in the middle tones.

    Grains that cover a share u of the light's way at random let a part through whose variance goes as u (1 - u): the
    Boolean model (Newson, Delon and Galerne 2017, "A Stochastic Film Grain Model"). A pixel that holds many grains
    averages them: the deviation goes with the inverse root of the area (Selwyn 1935).
    """

    version: ClassVar[str] = "2"

    amount: Annotated[float, Field(ge=0.0, le=120.0)]
    """Standard deviation in the middle tones, 8-bit levels, of grain that is at least a pixel wide."""
    size: Annotated[float, Field(ge=0.05, le=12.0)] = 1.0
    """Standard deviation of a grain's profile, pixels at a shorter side of 1024."""
    clumping: Annotated[float, Field(ge=0.0, le=1.0)] = 0.15
    """Share of the variance that lies in clumps two and a half times as wide."""
    dyes: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """0 for silver, equal in all channels; 1 for the dye clouds of colour film, independent in each."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        size = (image.shape[0], image.shape[1])
        sigma = self.size * scale_of(size)
        # Below a third of a pixel a grain is not seen by itself, and what is left is its average.
        strength = self.amount / 255.0 * min(1.0, sigma / 0.35)
        fine, clumps = (
            self._channels(generator, size, width) * np.float32(math.sqrt(part))
            for width, part in ((sigma, 1.0 - self.clumping), (2.5 * max(sigma, 0.35), self.clumping))
        )
        tone = clipped(image)
        share = np.sqrt(tone * (1.0 - tone)) * np.float32(2.0 * strength)
        grains = fine + clumps
        share *= grains if grains.shape[2] == 3 else in_channels(grains[:, :, 0])
        return Degraded(clipped(tone + share))

    def _channels(self, generator: Generator, size: Size, sigma: float) -> Image:
        noise = grainy(generator, size, 1, sigma)
        if self.dyes == 0.0:
            return noise
        own = grainy(generator, size, 3, sigma)
        return np.asarray(noise * math.sqrt(1.0 - self.dyes) + own * math.sqrt(self.dyes), dtype=np.float32)


class UnevenDevelopment(Degradation):
    """Densities that differ where developer was exhausted, stirred badly or poured on in waves.

    Mottle is a slow change of contrast and density; streaks are the drag that runs down from dense parts where bromide
    sinks along the plate (Mees and James, on adjacency effects; Eder's handbook for collodion).
    """

    mottle: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    """Standard deviation of the change of density, as a share of the density."""
    cell: Annotated[float, Field(ge=8.0, le=4096.0)] = 500.0
    """Width of the mottle, pixels at a shorter side of 1024."""
    streaks: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Standard deviation of the density that streaks add."""
    angle: Annotated[float, Field(ge=-math.pi, le=math.pi)] = math.pi / 2.0
    """Way of the streaks against x, radians; down by default."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        height, width = size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        waves = cloud(generator, size, self.cell * scale, octaves=4)
        densities = density(clipped(image)) * in_channels(np.exp(np.float32(self.mottle) * waves))
        if self.streaks > 0.0:
            side = math.ceil(math.hypot(height, width))
            lines = cloud(generator, (1, side), 60.0 * scale, octaves=4, persistence=0.7)
            along = cloud(generator, (side, 1), self.cell * scale, octaves=2)
            field = np.asarray(np.maximum(lines, 0.0) * (1.0 + 0.5 * along), dtype=np.float32)
            turn = cv2.getRotationMatrix2D((side / 2.0, side / 2.0), 90.0 - math.degrees(self.angle), 1.0)
            turn[:, 2] += (width - side) / 2.0, (height - side) / 2.0
            turned = cv2.warpAffine(field, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            # Drag comes from what is dense, and adds to it.
            drag = np.float32(self.streaks) * np.asarray(turned, dtype=np.float32) * (0.3 + luma(image))
            densities += in_channels(drag)
        return Degraded(from_density(densities))
