"""What an inversion minimises: how far a picture, degraded as the photograph was, is from the photograph.

Source: Gu, Shen, Zhou (CVPR 2020), equations 4 and 6 to 8: L(x, y) = mean (x - y)^2 + lambda mean |phi(x) - phi(y)|
with x = D(G(z)) for a task's degradation D. Both are taken in the range [-1, 1]. The second term is divided by
mean |phi(y)| here, so that a lambda means the same with every feature network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.inversion.noise import Noise
from operators.inversion.resampling import resized
from operators.inversion.steps import Ground, Run, Step

FeatureMaps = Callable[[Tensor], Mapping[str, Tensor]]
"""(N, 3, H, W) RGB in [-1, 1] to named feature maps."""


@dataclass(frozen=True)
class Loss:
    """Of each face.

    Attributes:
        total: (N,), what is minimised.
        pixels: (N,), its first part, the weighted mean squared residual in [-1, 1].
    """

    total: Tensor
    pixels: Tensor


class Observation:
    """A degradation for pictures of one size.

    Args:
        steps: in order.
        side: of the prior's pictures.
        known: (N, 1, side, side) in {0, 1}, 1 where a face is known; None where all of it is.
        like: a tensor of the device and type to compute in.

    Raises:
        ValueError: a step cannot be done to such a picture.
    """

    def __init__(self, steps: Sequence[Step], side: int, known: Tensor | None, like: Tensor) -> None:
        size = (side, side)
        runs: list[tuple[Run, bool]] = []
        for step in steps:
            runs.append((step.on(Ground(size, known, like)), step.projects))
            size = step.size(size)
        self._runs = runs
        self._side = side
        self.size = size

    def __call__(self, pictures: Tensor) -> Tensor:
        """What would be observed of pictures (N, 3, S, S) in [-1, 1]; (N, 3, h, w) in the same range."""
        return self._passed(pictures, projecting=False)

    def of_photographs(self, photographs: Tensor) -> Tensor:
        """What was observed of photographs (N, 3, S, S) in [-1, 1]: as they came, but for the steps that project."""
        return self._passed(photographs, projecting=True)

    def shown(self, like: Tensor) -> Tensor:
        """Share of what is observed of each photograph that no mask hides, (N,), for `like` of N faces."""
        with torch.no_grad():
            white = like.new_ones((len(like), 3, self._side, self._side))
            return (self.of_photographs(white) - self.of_photographs(-white)).mean((1, 2, 3)) * 0.5

    def _passed(self, pictures: Tensor, *, projecting: bool) -> Tensor:
        chosen = [run for run, projects in self._runs if projects or not projecting]
        if not chosen:
            return pictures
        light = (pictures + 1.0) * 0.5
        for run in chosen:
            light = run(light)
        return light * 2.0 - 1.0


class Objective:
    """The loss of pictures against what was observed, each face by itself.

    Args:
        observation: the task's degradation.
        target: (N, 3, h, w) in [-1, 1], what was observed.
        features: feature maps for the perceptual term; None leaves it out.
        feature_weight: its lambda.
        feature_side: side of the pictures that `features` sees.
        noise: of the observation; None where it has none.
    """

    def __init__(
        self,
        observation: Observation,
        target: Tensor,
        features: FeatureMaps | None = None,
        feature_weight: float = 0.0,
        feature_side: int = 256,
        noise: Noise | None = None,
    ) -> None:
        self._observation = observation
        self._target = target.detach()
        self._features = features if feature_weight > 0.0 else None
        self._feature_weight = feature_weight
        light = (self._target + 1.0) * 0.5
        self._weights = None if noise is None else noise.weights(light)
        floor = None if noise is None else noise.floor(light)
        self.floor: Tensor | None = None if floor is None else floor * 4.0 * observation.shown(self._target)
        """(N,), the pixel term at which only noise is left, in [-1, 1]; None where that is not known. What a mask hides
        has no residual and no noise."""
        self._seen: Mapping[str, Tensor] = {}
        if self._features is not None:
            self._rows = [_fit(side, feature_side, self._target) for side in self._target.shape[2:]]
            with torch.no_grad():
                self._seen = self._features(self._sized(self._target))
                self._scales = {name: _magnitude(maps) for name, maps in self._seen.items()}

    @property
    def target(self) -> Tensor:
        """What was observed."""
        return self._target

    def __call__(self, pictures: Tensor) -> Loss:
        """Loss of pictures (N, 3, S, S) in [-1, 1]."""
        seen = self._observation(pictures)
        squared = (seen - self._target).square()
        if self._weights is not None:
            squared = squared * self._weights
        pixels = squared.mean((1, 2, 3))
        if self._features is None:
            return Loss(pixels, pixels)
        total = pixels
        maps = self._features(self._sized(seen))
        share = self._feature_weight / len(self._seen)
        for name, wanted in self._seen.items():
            total = total + (maps[name] - wanted).abs().mean((1, 2, 3)) / self._scales[name] * share
        return Loss(total, pixels)

    def psnr(self, pictures: Tensor) -> Tensor:
        """PSNR in dB of what would be observed against what was, (N,), clipped to [-1, 1], the peak being 2."""
        with torch.no_grad():
            seen = self._observation(pictures.clamp(-1.0, 1.0)).clamp(-1.0, 1.0)
            error = (seen - self._target.clamp(-1.0, 1.0)).square().mean((1, 2, 3)) / 4.0
            return -10.0 * torch.log10(error.clamp_min(1e-12))

    def _sized(self, seen: Tensor) -> Tensor:
        rows, columns = self._rows
        return rows @ seen @ columns.T


def _magnitude(maps: Tensor) -> Tensor:
    return maps.abs().mean((1, 2, 3)).clamp_min(1e-6)


def _fit(side: int, wanted: int, like: Tensor) -> Tensor:
    """Averages where it shrinks, repeats where it grows: the authors' code repeats and drops pixels for both."""
    matrix = resized("area" if side > wanted else "nearest", side, wanted)
    return torch.from_numpy(matrix).to(like)
