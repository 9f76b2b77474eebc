"""What the priors with a mapping network have in common: the spaces z, w and w+."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from operators.inversion.priors.contract import Features, Place, check_codes, check_space, place_at

MEAN_DRAWS = 4096
"""Codes whose w are averaged where the checkpoint has no mean, as in MobileStyleGAN's demonstration."""

START_SPREAD = 0.25
"""How far from the mean of w an optimisation in w begins, as a share of a drawn w's own distance."""


class StyledPrior(ABC):
    """A generator in which z becomes w by a mapping network, and each layer is modulated by a w.

    z is standard normal, (D,). w is one vector for all layers, (D,). w+ is one for each latent, (L, D): latent l - 1
    modulates layer l, and later ones what follows it, so that features after layer l need the latents from l on.

    An optimisation begins in z with normal codes; in w and w+ with mean + START_SPREAD (w(z) - mean) of normal z, near
    the mean as single-code inversions begin, yet each code elsewhere: several equal codes would have equal gradients
    and stay equal.

    Subclasses call this class's constructor last.

    Args:
        psi: truncation of w in space z: w becomes mean + psi (w - mean). Spaces w and w+ take codes as they are.

    Raises:
        ValueError: `psi` is not within 0 to 1.
    """

    name: str
    resolution: int
    layers: int
    places: tuple[Place, ...]
    spaces: tuple[str, ...] = ("z", "w", "w+")

    def __init__(self, psi: float) -> None:
        if not 0.0 <= psi <= 1.0:
            raise ValueError(f"the truncation psi is {psi}; it must be from 0 to 1")
        self._psi = psi
        self._mean: Tensor | None = None
        if psi != 1.0:
            # Here rather than in a step, which may be compiled.
            self.mean_w()

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where its weights are."""

    @property
    @abstractmethod
    def _width(self) -> int:
        """D."""

    @property
    def _latents(self) -> int:
        """L."""
        return self.layers + 1

    @property
    @abstractmethod
    def _mapping(self) -> nn.Module:
        """From z to w, both (M, D)."""

    @abstractmethod
    def _stored_mean(self) -> Tensor | None:
        """The mean of w that came with the weights."""

    @abstractmethod
    def _early(self, latents: Tensor, layer: int) -> Features:
        """Features of latents (M, L, D) after a layer."""

    @abstractmethod
    def _late(self, features: Features, layer: int) -> Tensor:
        """Pictures of features after a layer."""

    def code_shape(self, space: str) -> tuple[int, ...]:
        """Shape of one code.

        Raises:
            ValueError: there is no such space.
        """
        check_space(self, space)
        return (self._latents, self._width) if space == "w+" else (self._width,)

    def mean_w(self) -> Tensor:
        """The mean of w, (D,): the checkpoint's own, else that of `MEAN_DRAWS` codes from a fixed seed.

        It is computed once.
        """
        if self._mean is None:
            stored = self._stored_mean()
            self._mean = self._drawn_mean() if stored is None else stored.detach().clone()
        if self._mean.device != self.device:
            self._mean = self._mean.to(self.device)
        return self._mean

    def start(self, count: int, space: str, generator: torch.Generator) -> Tensor:
        """Codes (count, *code_shape) to begin with; see the class."""
        shape = self.code_shape(space)
        z = torch.randn((count, self._width), generator=generator, device=generator.device).to(self.device)
        if space == "z":
            return z
        with torch.no_grad():
            w = torch.lerp(self.mean_w().expand(count, -1), self._mapped(z), START_SPREAD)
        return w if space == "w" else w[:, None].expand(count, *shape).clone()

    def channels(self, layer: int) -> int:
        """Channels of a layer's features."""
        return place_at(self, layer).channels

    def early(self, codes: Tensor, space: str, layer: int) -> Features:
        """Features of codes (M, *code_shape) after a layer."""
        place_at(self, layer)
        return self._early(self.latents(codes, space), layer)

    def late(self, features: Features, space: str, layer: int) -> Tensor:
        """Pictures (M, 3, S, S) of features after a layer.

        Raises:
            ValueError: there is no such layer or space, or the features carry no styles.
        """
        check_space(self, space)
        place_at(self, layer)
        if features.styles is None or features.styles.shape[1] != self._latents - layer:
            raise ValueError(f"features after layer {layer} of {self.name} carry {self._latents - layer} latents")
        return self._late(features, layer)

    def generate(self, codes: Tensor, space: str) -> Tensor:
        """Pictures (M, 3, S, S) of codes (M, *code_shape)."""
        return self.late(self.early(codes, space, self.layers), space, self.layers)

    def latents(self, codes: Tensor, space: str) -> Tensor:
        """The latents of codes: (M, L, D) of (M, *code_shape); in z through the mapping network, truncated."""
        check_codes(self, codes, space)
        if space == "w+":
            return codes
        w = codes
        if space == "z":
            w = self._mapped(codes)
            if self._psi != 1.0:
                w = self.mean_w() + self._psi * (w - self.mean_w())
        return w[:, None].expand(-1, self._latents, -1)

    def _mapped(self, z: Tensor) -> Tensor:
        w: Tensor = self._mapping(z)
        return w

    def _drawn_mean(self) -> Tensor:
        """The mean of w of fixed draws, in float64 on the CPU, so that its float32 is the same on any machine."""
        mapping = copy.deepcopy(self._mapping).to("cpu", torch.float64)
        drawn = np.random.Generator(np.random.PCG64(0)).standard_normal((MEAN_DRAWS, self._width))
        with torch.no_grad():
            mean: Tensor = mapping(torch.from_numpy(drawn)).mean(0)
        return mean.float()
