"""Blur by the kernels of the papers."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.filtering import filtered, gaussian
from operators.degradations.kernels import Shape, bell, sinc


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("expected an odd number")
    return value


Odd = Annotated[int, Field(ge=3, le=101), AfterValidator(_odd)]
Deviation = Annotated[float, Field(ge=0.05, le=50.0)]


class Blur(Degradation):
    """Convolution with a bell-shaped kernel: Real-ESRGAN, section 3.1; GFPGAN (Wang et al. 2021) uses two."""

    version: ClassVar[str] = "2"

    kernel: Shape = "iso"
    """Which; those with `iso` are round and use neither `sigma_y` nor `angle`."""
    size: Odd = 41
    """Side of the kernel in pixels, odd."""
    sigma: Deviation
    """Standard deviation along the first axis, pixels."""
    sigma_y: Deviation = 1.0
    """Along the second axis, pixels."""
    angle: Annotated[float, Field(ge=-math.pi, le=math.pi)] = 0.0
    """Of the first axis against x, radians."""
    beta: Annotated[float, Field(ge=0.1, le=10.0)] = 1.0
    """Exponent of the generalised and plateau kernels."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The border is reflected."""
        if self.kernel == "iso":
            return Degraded(gaussian(image, self.size, self.sigma))
        kernel = bell(self.kernel, self.size, self.sigma, self.sigma_y, self.angle, self.beta)
        return Degraded(filtered(image, kernel))


class Sinc(Degradation):
    """The ideal circular low-pass, which rings at edges as sharpening and compression do: Real-ESRGAN, section 3.3."""

    version: ClassVar[str] = "2"

    size: Odd = 21
    """Side of the kernel in pixels, odd."""
    cutoff: Annotated[float, Field(ge=0.2, le=math.pi)]
    """Highest frequency that passes, radians per pixel."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The border is reflected; values may leave [0, 1] by the overshoot."""
        return Degraded(filtered(image, sinc(self.size, self.cutoff)))
