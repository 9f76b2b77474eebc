"""Noise of an observation: what it is drawn from, how residuals count under it, and when a search has come down to it.

A search that goes on below the noise fits the noise. By Morozov's discrepancy principle (1966) it ends where the
residual is as large as the noise is expected to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NoiseKind = Literal["gaussian", "poisson", "salt-and-pepper"]
_DARKEST = 1.0 / 255.0
"""Light below which a photon count is taken to be this, so that no weight is infinite."""


@dataclass(frozen=True)
class Noise:
    """A noise model; light is in [0, 1].

    Attributes:
        kind: `gaussian` of one standard deviation; `poisson`, photons counted; `salt-and-pepper`, pixels that are black
            or white instead.
        level: of `gaussian` the standard deviation, 0 to 1; of `poisson` the photons at white, above 0; of
            `salt-and-pepper` the share of the pixels, 0 to 1.

    Raises:
        ValueError: no such kind, or a level outside its range.
    """

    kind: NoiseKind
    level: float

    def __post_init__(self) -> None:
        if self.kind not in get_args(NoiseKind):
            raise ValueError(f"noise: {self.kind!r} found, expected one of {', '.join(get_args(NoiseKind))}")
        most = 1e6 if self.kind == "poisson" else 1.0
        if not 0.0 < self.level <= most:
            raise ValueError(f"level: {self.level:g} found with {self.kind} noise, expected above 0, at most {most:g}")

    def added(self, picture: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        """A picture with noise.

        Args:
            picture: (H, W, 3) float32 in [0, 1], RGB.
            generator: what is drawn from: numbers for all values in the order of memory, of `salt-and-pepper` one for
                each pixel.

        Returns:
            (H, W, 3) float32 in [0, 1].
        """
        if self.kind == "gaussian":
            noisy = picture + generator.standard_normal(picture.shape, dtype=np.float32) * np.float32(self.level)
        elif self.kind == "poisson":
            noisy = generator.poisson(picture.astype(np.float64) * self.level) / self.level
        else:
            drawn = generator.random(picture.shape[:2])[..., None]
            noisy = np.where(drawn < self.level / 2, 0.0, np.where(drawn < self.level, 1.0, picture))
        return np.asarray(np.clip(noisy, 0.0, 1.0), dtype=np.float32)

    def weights(self, observed: Tensor) -> Tensor | None:
        """How the squared residual of each value counts; None for all alike.

        Of `poisson` by the inverse of the variance, that is of the light, as in Pearson's chi-squared; of
        `salt-and-pepper` not at all where a pixel is black or white in every channel. The mean over a picture is 1.

        Args:
            observed: (N, 3, H, W) in [0, 1].

        Returns:
            the same shape.
        """
        if self.kind == "gaussian":
            return None
        if self.kind == "poisson":
            weights = 1.0 / observed.clamp_min(_DARKEST)
        else:
            extreme = (observed <= 0.0).all(1, keepdim=True) | (observed >= 1.0).all(1, keepdim=True)
            weights = (~extreme).to(observed).expand_as(observed)
        mean = weights.mean((1, 2, 3), keepdim=True)
        return weights / torch.where(mean > 0.0, mean, torch.ones_like(mean))

    def floor(self, observed: Tensor) -> Tensor | None:
        """The weighted mean squared residual at which the noise is reached, (N,), light being in [0, 1].

        None where the model does not say it: values that salt and pepper leave have no noise.

        Args:
            observed: (N, 3, H, W) in [0, 1].
        """
        if self.kind == "gaussian":
            return torch.full((len(observed),), self.level**2, dtype=observed.dtype, device=observed.device)
        if self.kind == "poisson":
            # With weights c / light, the expectation of weight times variance is c / photons everywhere.
            return 1.0 / ((1.0 / observed.clamp_min(_DARKEST)).mean((1, 2, 3)) * self.level)
        return None
