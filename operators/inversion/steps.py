"""What happened to a picture before it was observed: the differentiable steps of which a task's degradation is made.

A step is a frozen description without pixels; `Step.on` makes the function of it for pictures of one size. Pictures are
(N, 3, H, W) RGB in [0, 1] here, as in the recipes of pairs, whose names and meanings these steps have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from operators.inversion.resampling import Matrix, Resampler, blurred, resized

Run = Callable[[Tensor], Tensor]
"""Maps pictures (N, 3, H, W) to what is observed of them."""

_GREY = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as OpenCV has it; the luma channel of the paper's `gray`."""
_TORCHVISION = (0.2989, 0.587, 0.114)
_MIDDLE = 0.5
"""What a hidden pixel is: zero in the paper's range [-1, 1], in which it multiplies with the mask."""


@dataclass(frozen=True)
class Ground:
    """What steps are made for.

    Attributes:
        size: height and width of the pictures that come in.
        known: (N, 1, S, S) in {0, 1}, 1 where a picture is known, for the size of the whole picture; None where all is.
        like: a tensor of the device and type to compute in.
    """

    size: tuple[int, int]
    known: Tensor | None
    like: Tensor

    def tensor(self, matrix: Matrix) -> Tensor:
        """A matrix on the device."""
        return torch.from_numpy(np.ascontiguousarray(matrix)).to(self.like)


class Step(Protocol):
    """One step of a degradation.

    Attributes:
        projects: whether a photograph that was degraded so stays as it is when the step is done to it: it is then
            applied to the photograph as well, which says which part of it was observed.
    """

    @property
    def projects(self) -> bool:
        """Whether the photograph as it came passes the step as well."""
        ...

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the result for pictures of a size."""
        ...

    def on(self, ground: Ground) -> Run:
        """The step for pictures of one size; ValueError where it cannot be."""
        ...


@dataclass(frozen=True)
class Grey:
    """The picture's luma in all three channels: 0.299 R + 0.587 G + 0.114 B."""

    projects: bool = True

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """Weighted sum over the channels."""
        return lambda pictures: _luma(pictures, _GREY).expand(-1, 3, -1, -1)


@dataclass(frozen=True)
class Resize:
    """A smaller picture.

    Attributes:
        factor: by which its sides are divided, 1 or more; rounded to whole pixels.
        resampler: how.
    """

    factor: float
    resampler: Resampler = "area"
    projects: bool = True

    def __post_init__(self) -> None:
        if not 1.0 <= self.factor <= 256.0:
            raise ValueError(f"factor: {self.factor:g} found, expected a number from 1 to 256")
        resized(self.resampler, 2, 1)

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Divided by the factor, at least one pixel."""
        return max(1, round(size[0] / self.factor)), max(1, round(size[1] / self.factor))

    def on(self, ground: Ground) -> Run:
        """Two products."""
        height, width = self.size(ground.size)
        rows = ground.tensor(resized(self.resampler, ground.size[0], height))
        columns = ground.tensor(resized(self.resampler, ground.size[1], width).T)
        return lambda pictures: rows @ pictures @ columns


@dataclass(frozen=True)
class Mask:
    """Hides what the face's mask marks; a pixel of a smaller picture is hidden when any part of it is."""

    projects: bool = True

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """Grey where nothing is known.

        Raises:
            ValueError: there is no mask.
        """
        if ground.known is None:
            raise ValueError("a step that hides what is masked found no mask")
        known = _known_at(ground.known, ground)
        return lambda pictures: (pictures - _MIDDLE) * known + _MIDDLE


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur.

    Attributes:
        sigma: standard deviation in pixels, above 0.
    """

    sigma: float
    projects: bool = False

    def __post_init__(self) -> None:
        if not 0.05 <= self.sigma <= 100.0:
            raise ValueError(f"sigma: {self.sigma:g} found, expected a number from 0.05 to 100")

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """Two products."""
        rows = ground.tensor(blurred(self.sigma, ground.size[0]))
        columns = ground.tensor(blurred(self.sigma, ground.size[1]).T)
        return lambda pictures: rows @ pictures @ columns


@dataclass(frozen=True)
class Brightness:
    """All values times a factor, clipped to [0, 1]."""

    factor: float
    projects: bool = False

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """One product."""
        return lambda pictures: (pictures * self.factor).clamp(0.0, 1.0)


@dataclass(frozen=True)
class Contrast:
    """Differences from the mean luma times a factor, clipped to [0, 1]."""

    factor: float
    projects: bool = False

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """About each picture's own mean."""

        def run(pictures: Tensor) -> Tensor:
            mean = _luma(pictures, _TORCHVISION).mean((1, 2, 3), keepdim=True)
            return (mean + (pictures - mean) * self.factor).clamp(0.0, 1.0)

        return run


@dataclass(frozen=True)
class Saturation:
    """Differences from each pixel's luma times a factor, clipped to [0, 1]."""

    factor: float
    projects: bool = False

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """About each pixel's luma."""

        def run(pictures: Tensor) -> Tensor:
            luma = _luma(pictures, _TORCHVISION)
            return (luma + (pictures - luma) * self.factor).clamp(0.0, 1.0)

        return run


@dataclass(frozen=True)
class Haze:
    """A veil of white over the picture.

    Attributes:
        alpha: share of the picture that is left, 0 to 1.
    """

    alpha: float
    projects: bool = False

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """A weighted mean with white."""
        return lambda pictures: pictures * self.alpha + (1.0 - self.alpha)


@dataclass(frozen=True)
class ColourShift:
    """A constant added to each channel, in 8-bit levels; clipped to [0, 1]."""

    red: float = 0.0
    green: float = 0.0
    blue: float = 0.0
    projects: bool = False

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Unchanged."""
        return size

    def on(self, ground: Ground) -> Run:
        """One sum."""
        shift = ground.tensor(np.array([self.red, self.green, self.blue], dtype=np.float64)[:, None, None] / 255.0)
        return lambda pictures: (pictures + shift).clamp(0.0, 1.0)


def _luma(pictures: Tensor, weights: tuple[float, float, float]) -> Tensor:
    red, green, blue = weights
    return pictures[:, :1] * red + pictures[:, 1:2] * green + pictures[:, 2:] * blue


def _known_at(known: Tensor, ground: Ground) -> Tensor:
    """A mask at the size that pictures have by now."""
    height, width = ground.size
    if known.shape[2:] == ground.size:
        return known.to(ground.like)
    rows = ground.tensor(resized("area", known.shape[2], height))
    columns = ground.tensor(resized("area", known.shape[3], width).T)
    return ((rows @ known.to(ground.like) @ columns) > 1.0 - 1e-6).to(ground.like)
