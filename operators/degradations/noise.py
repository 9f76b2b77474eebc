"""Noise of the papers. Levels are of 8 bits; the result is clipped, and not rounded, as in their code."""

from __future__ import annotations

from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.counts import poisson
from operators.degradations.layers import in_channels
from operators.degradations.levels import eight_bit
from operators.degradations.normals import standard_normal

Level = Annotated[float, Field(ge=0.0, le=255.0)]


class GaussianNoise(Degradation):
    """Additive normal noise: GFPGAN, Real-ESRGAN section 3.1."""

    version: ClassVar[str] = "2"

    sigma: Level
    """Standard deviation in 8-bit levels."""
    grey: bool = False
    """Whether all channels get the same."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        return Degraded(_added(image, _normal(image, generator, self.sigma, self.grey)))


class PoissonNoise(Degradation):
    """Shot noise as BasicSR's `generate_poisson_noise` makes it.

    The image rounded to 8 bits is read as counts with 2^ceil(log2(n)) at white, n its number of different values; what
    a Poisson draw of these counts differs by is added, scaled.
    """

    version: ClassVar[str] = "2"

    scale: Annotated[float, Field(ge=0.0, le=20.0)]
    """Factor on the noise; 1 is a Poisson draw."""
    grey: bool = False
    """Whether all channels get the noise of the luma."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        signal = cv2.cvtColor(_clipped(image), cv2.COLOR_RGB2GRAY) if self.grey else image
        levels = eight_bit(np.asarray(signal, dtype=np.float32))
        distinct = int(np.count_nonzero(np.bincount(levels.ravel(), minlength=256)))
        white = 1 << (distinct - 1).bit_length()
        noise = poisson(levels, white, generator).astype(np.float32)
        noise *= np.float32(self.scale / white)
        noise -= np.multiply(levels, np.float32(self.scale / 255.0), dtype=np.float32)
        return Degraded(_added(image, noise))


class SpeckleNoise(Degradation):
    """Noise in proportion to the value: Bringing Old Photos Back to Life (Wan et al. 2020)."""

    version: ClassVar[str] = "2"

    sigma: Level
    """Standard deviation at white, in 8-bit levels."""
    grey: bool = False
    """Whether all channels get the same."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        noise = _normal(image, generator, self.sigma, self.grey)
        noise = (in_channels(noise) if self.grey else noise) * image
        return Degraded(_added(image, noise))


class SaltAndPepper(Degradation):
    """Single values replaced by white or black: Bringing Old Photos Back to Life."""

    amount: Annotated[float, Field(ge=0.0, le=1.0)]
    """Share of the values that is replaced."""
    salt: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Share of these that turns white."""
    grey: bool = False
    """Whether whole pixels are replaced, and not each channel by itself, as the paper's code does."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask has the share of a pixel's channels that were replaced."""
        shape = (*image.shape[:2], 1 if self.grey else 3)
        chance = generator.random(shape, dtype=np.float32)
        salted, peppered = chance < self.amount * self.salt, chance >= 1.0 - self.amount * (1.0 - self.salt)
        replaced = np.where(salted, np.float32(1.0), np.where(peppered, np.float32(0.0), image))
        mask = (salted | peppered).mean(axis=2, dtype=np.float32)
        return Degraded(np.asarray(replaced, dtype=np.float32), mask)


def _normal(image: Image, generator: Generator, sigma: float, grey: bool) -> NDArray[np.float32]:
    shape = image.shape[:2] if grey else image.shape
    noise = standard_normal(generator, shape)
    noise *= np.float32(sigma / 255.0)
    return noise


def _added(image: Image, noise: NDArray[np.float32]) -> Image:
    """An image plus noise, clipped, in the noise's own memory."""
    result = noise if noise.ndim == 3 else in_channels(noise)
    result += image
    return np.clip(result, np.float32(0.0), np.float32(1.0), out=result)


def _clipped(image: Image) -> Image:
    return np.clip(image, np.float32(0.0), np.float32(1.0))
