"""Terms of faces that are all aligned alike: how they look to a feature network, and whether it is the same person."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any

import torch
from torch import Tensor

from operators.faces.templates import template_points
from operators.features.contract import FeatureNetwork
from operators.features.identity import Embedder
from operators.features.networks import SFACE_LAYERS
from operators.features.perceptual import perceptual_distances
from operators.networks.vgg16.network import LAYERS
from operators.training.contract import At, Hardware
from operators.training.schedules.game import placed
from operators.training.schedules.perception import feature_network
from operators.training.schedules.prepared import cast
from operators.training.terms.content import identity_distance


class FaceTerms:
    """`perceptual` and `identity`, those of them that count.

    Args:
        perceptual: weight of `perceptual_distances`; with 0 its network is not even loaded.
        identity: of `identity_distance`, likewise.
        size: pixels a side of the faces.
        template: alignment that they have.
        hardware: what the networks run on.
        starts: `features`, a VGG-16 in place of SFace.
        window: pixels a side of the square that `perceptual` looks at; 0 is the whole face.
        in_turn: `perceptual` is computed in even steps and `identity` in odd ones.

    Raises:
        ValueError: `features` is another network.
        operators.models.ModelFileError: SFace's file is missing or not the expected one.
    """

    def __init__(
        self,
        perceptual: float,
        identity: float,
        *,
        size: int,
        template: str,
        hardware: Hardware,
        starts: Mapping[str, Mapping[str, Any]],
        window: int = 0,
        in_turn: bool = False,
    ) -> None:
        self._window = window
        self._in_turn = in_turn
        self._hardware = hardware
        self._features: FeatureNetwork | None = None
        self._embedder: Embedder | None = None
        if perceptual:
            self._features = placed(feature_network(starts, LAYERS, SFACE_LAYERS), hardware)
        if identity:
            self._embedder = placed(Embedder((template_points(template, size) + 0.5) / size), hardware)

    def __call__(self, at: At, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """The terms by name.

        Args:
            at: where the training is; all workers and all parts of a batch look at one square.
            made: (N, 3, S, S) in [-1, 1].
            truth: likewise, without a gradient.
        """
        terms: dict[str, Tensor] = {}
        even = at.step % 2 == 0
        if self._features is not None and (even or not self._in_turn):
            square = self._square(at, made.shape[-1])
            seen = self._seen(self._features, made[square])
            expected = self._seen(self._features, truth[square], known=True)
            terms["perceptual"] = perceptual_distances(seen, expected).mean()
        if self._embedder is not None and not (even and self._in_turn):
            with cast(self._hardware):
                found = self._embedder(made)
            with torch.no_grad(), cast(self._hardware):
                person = self._embedder(truth)
            terms["identity"] = identity_distance(found.float(), person.float())
        return terms

    def _square(self, at: At, size: int) -> tuple[slice | EllipsisType, ...]:
        """What the perceptual term looks at, an index of (N, 3, S, S)."""
        if not self._window:
            return (...,)
        places = size - self._window + 1
        top, left = torch.randint(places, (2,), generator=at.draws.generator("window")).tolist()
        return (..., slice(top, top + self._window), slice(left, left + self._window))

    def _seen(self, features: FeatureNetwork, pictures: Tensor, *, known: bool = False) -> dict[str, Tensor]:
        with torch.set_grad_enabled(not known and torch.is_grad_enabled()), cast(self._hardware):
            return {name: one.float() for name, one in features(pictures).items()}
